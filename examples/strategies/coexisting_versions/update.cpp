// Visitors who come from now on use the dial in degrees Fahrenheit, while those who are there go on in degrees Celsius.
#include <iostream>

#include "dial.hpp"

static int to_fahrenheit(int celsius) { return celsius * 9 / 5 + 32; }
static int to_celsius(int fahrenheit) { return (fahrenheit - 32) * 5 / 9; }

/// Both versions' states. A change of one changes the other with it, by a transformer in either direction.
class Dial_v2 : public moult::Updatable<Dial_v2> {
 public:
  explicit Dial_v2(int celsius);
  // What old code calls, and what finds celsius_ where it was.
  int celsius() const;
  void set_celsius(int celsius);
  // What new code calls.
  int fahrenheit() const { return fahrenheit_; }
  void set_fahrenheit(int fahrenheit) {
    fahrenheit_ = fahrenheit;
    celsius_ = to_celsius(fahrenheit);
  }

 private:
  int celsius_;
  int fahrenheit_;
};

MOULT_UPDATABLE Dial_v2::Dial_v2(int celsius) : celsius_(celsius), fahrenheit_(to_fahrenheit(celsius)) {}
MOULT_UPDATABLE int Dial_v2::celsius() const { return celsius_; }
MOULT_UPDATABLE void Dial_v2::set_celsius(int celsius) {
  celsius_ = celsius;
  fahrenheit_ = to_fahrenheit(celsius);
}

static void visit_v2(const std::string& name, Requests& requests) {
  Dial_v2& fresh = reinterpret_cast<Dial_v2&>(*dial);
  std::cout << name << " reads " << fresh.fahrenheit() << " F" << std::endl;
  while (std::optional<std::string> request = requests.next()) {
    if (*request != "looks") fresh.set_fahrenheit(std::stoi(*request));
    std::cout << name << " reads " << fresh.fahrenheit() << " F" << std::endl;
  }
}

/// Old visits go on for as long as they like: nobody waits for their end.
class VisitUpdate final : public moult::Update {
 public:
  VisitUpdate() : Update("visit") {}
  moult::Requirements check_requirements() override {
    return moult::is_applied("dial") ? moult::Requirements::met : moult::Requirements::never;
  }
  bool check_alterability() override { return true; }
  void apply() override { moult::redefine_function(visit, visit_v2); }
};

MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("main");
  manager.add_update(std::make_unique<moult::EagerConversionUpdate<Dial, Dial_v2>>(
      "dial", [](const Dial& old) { return Dial_v2(old.celsius()); },
      moult::ConversionOptions<Dial, Dial_v2>{.rebind = moult::Rebind::yes}));
  manager.add_update(std::make_unique<VisitUpdate>());
}
