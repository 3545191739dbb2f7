// Degrees Fahrenheit instead of Celsius: each reading is converted when it is first used.
#include "reading.hpp"

class Reading_v2 : public moult::Updatable<Reading_v2> {
 public:
  explicit Reading_v2(int degrees) : degrees_(degrees) {}
  int degrees() const { return degrees_; }

 private:
  int degrees_;  // where the program's code finds it
};

static Reading_v2 transformer(const Reading& old) { return Reading_v2(old.degrees() * 9 / 5 + 32); }

using Conversion = moult::LazyConversionUpdate<Reading, Reading_v2>;

static moult::LazyObjects objects;

/// The conversion and, in the same stop, what the program says of it.
class FahrenheitUpdate final : public Conversion {
 public:
  FahrenheitUpdate() : Conversion("readings", transformer) {}

  void apply() override {
    Conversion::apply();
    ::objects = Conversion::objects();
    moult::redefine_function(state, state_v2);
  }

 private:
  static std::string state_v2() {
    const moult::LazyProgress progress = ::objects.progress();
    if (progress.converted_objects == progress.objects) return "readings in degrees Fahrenheit, all converted";
    return progress.converted_objects == 0 ? "readings in degrees Fahrenheit, none converted so far"
                                           : "readings in degrees Fahrenheit, some converted so far";
  }
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<FahrenheitUpdate>()); }
