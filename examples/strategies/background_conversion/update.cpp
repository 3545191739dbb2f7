// Degrees Fahrenheit instead of Celsius: a thread converts the readings in its own time, and each that is wanted before
// at its first use.
#include <iostream>

#include "reading.hpp"

class Reading_v2 : public moult::Updatable<Reading_v2> {
 public:
  explicit Reading_v2(int degrees) : degrees_(degrees) {}
  int degrees() const { return degrees_; }

 private:
  int degrees_;  // where the program's code finds it
};

static Reading_v2 transformer(const Reading& old) { return Reading_v2(old.degrees() * 9 / 5 + 32); }

static moult::AccessVisit conversion;

static std::string state_v2() {
  const moult::AccessProgress progress = conversion.progress();
  return "readings in degrees Fahrenheit, " + std::to_string(progress.yielded_objects) + " of " +
         std::to_string(progress.objects) + " converted";
}

class FahrenheitUpdate final : public moult::Update {
 public:
  FahrenheitUpdate() : Update("readings") {}

  bool check_alterability() override { return true; }  // no method of Reading is a call of its own

  void apply() override {
    conversion = moult::visit_at_first_access<Reading>(
        [](Reading& reading) { moult::update_to_class<Reading, Reading_v2>(reading, transformer); });
    moult::redefine_function(state, state_v2);
  }

  void preresume_setup() override { std::cout << state_v2() << std::endl; }

  /// In the manager's thread, while the program runs.
  bool wait_over() override {
    conversion.drain(std::chrono::seconds(20));  // at most, for one stop
    return conversion.progress().is_done;
  }
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<FahrenheitUpdate>()); }
