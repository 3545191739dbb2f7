// An update that uses what the headers compile into updates: templates, inline functions, virtual functions, and the
// classes that are passed to the library.
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "moult/alterability.hpp"
#include "moult/class_additions.hpp"
#include "moult/data_update.hpp"
#include "moult/heap_walker.hpp"
#include "moult/lazy_update.hpp"
#include "moult/load.hpp"
#include "moult/manager.hpp"
#include "moult/reboot.hpp"
#include "moult/redirection.hpp"
#include "moult/relinking.hpp"
#include "moult/return_barrier.hpp"
#include "moult/static_point_update.hpp"
#include "moult/thread.hpp"
#include "moult/update.hpp"
#include "program.hpp"

namespace next {
namespace {

using namespace std::chrono_literals;

class Note : public moult::Updatable<Note> {
 public:
  explicit Note(int number);
  Note(const Note&) = default;
  Note(Note&&) = default;
  ~Note();
  int number() const;
  std::string text() const;

 private:
  int number_;
  std::string title_ = "a title that is longer than a string holds without memory";
};
[[gnu::used, gnu::noinline]] Note::Note(int number) : number_(number) {}
[[gnu::used, gnu::noinline]] Note::~Note() { number_ = 0; }
[[gnu::used, gnu::noinline]] int Note::number() const { return number_; }
[[gnu::used, gnu::noinline]] std::string Note::text() const { return std::to_string(number_) + ", " + title_; }

class Card : public moult::Updatable<Card> {
 public:
  int number = 0;
};

std::string greet(const std::string& name) { return "Good day, " + name; }
std::string text(int number) { return "number " + std::to_string(number); }

struct Counted {
  int uses = 3;
};
int initial_age(app::Person& person) { return static_cast<int>(person.name.size()); }
std::string describe(app::Person& person, int width) { return person.name + std::string(width, '.'); }

class Code final : public moult::Update {
 public:
  Code() : Update("code") {}
  void prepare() override { found_ = moult::function<std::string(const std::string&)>("app::greet"); }
  bool wait_alterability() override { return moult::wait_quiescence_of_function(&app::greet, patience(), threads()); }
  void apply() override {
    moult::redefine_function(found_.value(), &greet);
    moult::redirect_pointer<app::Describe>(app::plain_text, text);
    moult::add_method_to_class("describe", describe);
    moult::add_field_to_class<app::Person, int>("age", {.values = moult::Values::at_once, .initial = initial_age});
    moult::add_mixin_to_class<Counted, app::Person>();
  }
  bool check_over() override {
    moult::ReturnBarrier calls({&app::greet});
    app::seen.old_calls = calls.wait(10s) ? calls.in_progress() : 1;
    return app::seen.old_calls == 0;
  }

 private:
  std::optional<moult::Function<std::string(const std::string&)>> found_;
};

class Counting final : public moult::HeapWalker {
 public:
  Counting() {
    on<const app::Person>([](const app::Person&) { ++app::seen.walked_people; });
  }
};

std::unique_ptr<moult::Update> note_update() {
  return std::make_unique<moult::EagerConversionUpdate<app::Note, Note>>(
      "notes", [](const app::Note& note) { return Note(note.number()); },
      moult::ConversionOptions<app::Note, Note>{.rebind = moult::Rebind::yes,
                                                .inverse = [](const Note& note) { return app::Note(note.number()); }});
}
void fill(const app::Card& old, Card& card) { card.number = old.number + 41; }
std::unique_ptr<moult::Update> lazy_card_update() {
  return std::make_unique<moult::LazyConversionUpdate<app::Card, Card>>("cards", fill);
}
std::unique_ptr<moult::Update> eager_card_update() {
  return std::make_unique<moult::EagerConversionUpdate<app::Card, Card>>("cards", fill);
}

int count_on(int turn) { return 1000 + (turn >= 0 ? 1 : 0); }
void work(int rounds) { app::seen.has_new_main_run = rounds == 42; }

}  // namespace
}  // namespace next

MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("test");
  const auto apply = [&](std::unique_ptr<moult::Update> update) {
    return manager.add_update(std::move(update)).wait(std::chrono::seconds(60));
  };
  apply(std::make_unique<next::Code>());
  apply(std::make_unique<moult::HeapTraversalUpdate>("walk", std::make_shared<next::Counting>()));
  apply(next::note_update());
  if (apply(next::lazy_card_update()).code == moult::ErrorCode::unsupported) apply(next::eager_card_update());
  apply(std::make_unique<moult::RebootFunctionUpdate>(
      "count", moult::get_thread_by_name("counter"),
      moult::FunctionReboot(&app::count_turns, next::count_on, moult::capture_locals<int>("turn"))));
  apply(std::make_unique<moult::ThreadRebootUpdate>("work", moult::get_thread_by_name("worker"), next::work, 42));
  moult::Thread(
      "another", [](int number) { app::seen.has_new_thread_run = number == 5; }, 5)
      .join();
}
