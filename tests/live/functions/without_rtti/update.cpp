// Compiled with -fno-rtti, as the program.
#include <stdexcept>

#include "program.hpp"

namespace {

struct AnimalTwo {
  int legs() const;
};
int AnimalTwo::legs() const { return 6; }

std::string good_morning(const std::string& name) { return "good morning " + name; }

class Redefine final : public moult::Update {
 public:
  Redefine() : Update("redefine") {}
  void prepare() override {
    greeting_.emplace(moult::function<std::string(const std::string&)>("bare::greeting"));
    legs_.emplace(&bare::Animal::legs);
  }
  bool check_alterability() override { return true; }
  bool wait_alterability() override { return true; }
  void apply() override {
    moult::redefine_any_function(*greeting_, good_morning);
    moult::redefine_any_function(*legs_, &AnimalTwo::legs);
  }

 private:
  std::optional<moult::AnyFunction> greeting_;
  std::optional<moult::AnyFunction> legs_;
};

struct NoteTwo : moult::Updatable<NoteTwo> {
  int number = 0;
  int second = 0;
};

class Convert final : public moult::Update {
 public:
  Convert() : Update("convert") {}
  bool check_alterability() override { return true; }
  bool wait_alterability() override { return true; }
  void apply() override {
    moult::start_eager_update<bare::Note, NoteTwo>([](const bare::Note& old, NoteTwo& fresh) {
      fresh.number = old.number + 1;
      fresh.second = old.number * 10;
    });
  }
};

struct Mistake final : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Fail final : public moult::Update {
 public:
  Fail() : Update("fail") {}
  bool check_alterability() override { return true; }
  bool wait_alterability() override { return true; }
  void apply() override { throw Mistake("all wrong"); }
};

template <class Made>
std::unique_ptr<moult::Update> make() {
  return std::make_unique<Made>();
}

}  // namespace

extern "C" __attribute__((visibility("default")))
const LoadedUpdate loaded_update{make<Redefine>, make<Convert>, make<Fail>,
                                 [](const bare::Note& note) { return reinterpret_cast<const NoteTwo&>(note).second; }};

MOULT_UPDATE {}
