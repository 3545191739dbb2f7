// Nothing here calls the methods of the new class, so the compiler leaves them out unless it is told to keep them.
#include "inside.hpp"
#include "moult/moult.hpp"

class Greeter_v2 {
 public:
  explicit Greeter_v2(int number) : number_(number + 1) {}
  int greet(int times) const { return 100 * number_ + times; }
  static int count() { return 2; }

 private:
  int number_;
};

class GreeterUpdate final : public moult::Update {
 public:
  GreeterUpdate() : Update("greeter") {}
  void prepare() override { change_ = moult::prepare_redefinition<Greeter, Greeter_v2>(); }
  bool check_alterability() override { return true; }
  void apply() override { change_.make(); }

 private:
  moult::PreparedRedefinition change_;
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<GreeterUpdate>()); }
