// Nothing here calls the constructor of the new class, which is local to this file. Its other methods are kept anyway.
#include "inside.hpp"
#include "moult/moult.hpp"

namespace {

class Greeter_v3 {
 public:
  explicit Greeter_v3(int number) : number_(number + 2) {}
  [[gnu::used]] int greet(int times) const { return 1000 * number_ + times; }
  [[gnu::used]] static int count() { return 3; }

 private:
  int number_;
};

class GreeterUpdate final : public moult::Update {
 public:
  GreeterUpdate() : Update("greeter") {}
  void prepare() override { change_ = moult::prepare_redefinition<Greeter, Greeter_v3>(); }
  bool check_alterability() override { return true; }
  void apply() override { change_.make(); }

 private:
  moult::PreparedRedefinition change_;
};

}  // namespace

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<GreeterUpdate>()); }
