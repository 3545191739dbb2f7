// Hands code over that has notes of the first version on its stack. Nothing else leads to that code. One edition for
// each way to hand code over; with FAILS it is undone in the stop.
#include <cstdlib>
#include <functional>
#include <moult/class_additions.hpp>
#include <moult/load.hpp>
#include <moult/manager.hpp>
#include <moult/progressive_access.hpp>
#include <moult/reboot.hpp>
#include <moult/redirection.hpp>
#include <moult/static_points.hpp>
#include <optional>
#include <stdexcept>
#if defined(STD_THREAD)
#include <thread>
#elif defined(SIGNAL_HANDLER)
#include <csignal>
#endif

#include "note.hpp"

namespace {

/// A class that grows must not lie on this stack: its new constructor writes past the end.
[[gnu::used, gnu::noinline]] std::string uses_notes(int number) {
  const Note note(number);
  return note.text();
}
[[maybe_unused]] void run_with_notes() {
  if (uses_notes(1).empty()) std::abort();
  app::stay();
}

#if defined(METHOD)
std::string describe(Note& note) { return uses_notes(note.number()); }
void hand_over() { moult::add_method_to_class("describe", describe); }

#elif defined(FIELD)
int initial_weight(Note& note) { return static_cast<int>(uses_notes(note.number()).size()); }
void hand_over() { moult::add_field_to_class<Note, int>("weight", {.initial = initial_weight}); }

#elif defined(MIXIN)
struct Label {
  Label() = default;
  Label(Label&&) noexcept {}
  ~Label() {
    if (uses_notes(1).empty()) std::abort();
  }
};
void hand_over() { moult::add_mixin<Label>(app::note()); }

#elif defined(VISITOR)
void hand_over() {
  app::visit =
      moult::visit_at_first_access<Card>([](Card& card) { card.number = static_cast<int>(uses_notes(1).size()); });
}

#elif defined(THREAD)
void hand_over() {}
void start() { app::thread.emplace("another", run_with_notes); }

#elif defined(THREAD_FUNCTION)
void hand_over() {}
void start() { app::thread.emplace(moult::ThreadOptions{"another"}, std::function<void()>(run_with_notes)); }

#elif defined(MAIN_FUNCTION)
void hand_over() { moult::switch_main(moult::get_thread_by_name("worker"), run_with_notes); }

#elif defined(RESTART)
void hand_over() {}

#elif defined(SUCCESSOR)
int count_on(int turns) {
  run_with_notes();
  return turns;
}
void hand_over() {
  moult::reboot_function(moult::get_thread_by_name("worker"), app::count_turns, count_on,
                         moult::capture_locals<int>("turns"));
}

#elif defined(POINTER)
std::string fresh_text(const Note& note) { return "fresh " + uses_notes(note.number()); }
std::optional<moult::Pointers<app::Describe> > pointers;
void hand_over() { pointers->redirect(app::plain_text, fresh_text); }

#elif defined(STD_THREAD)
void hand_over() {}
void start() {
  std::thread([] { uses_notes(1); }).join();
}

#elif defined(SIGNAL_HANDLER)
void hand_over() {
  std::signal(SIGUSR2, [](int) { uses_notes(1); });
}

#elif defined(AT_EXIT)
void hand_over() {
  std::atexit([] { uses_notes(1); });
}

#elif defined(NOTHING)
void hand_over() {}
#endif

#if defined(MAIN_FUNCTION) || defined(SUCCESSOR)
class Handing final : public moult::StaticPointUpdate {
 public:
  Handing() : StaticPointUpdate("handing", {"turn"}, {moult::get_thread_by_name("worker")}) {}
  void apply() override { hand_over(); }
#ifdef FAILS
  void preresume_setup() override { throw std::runtime_error("trouble before the program is resumed"); }
#endif
  bool wait_over() override { return moult::wait_departures(patience()); }
};
#else
class Handing final : public moult::Update {
 public:
  Handing() : Update("handing") {}
#ifdef POINTER
  void prepare() override { pointers.emplace(); }
#endif
  bool wait_alterability() override { return true; }
  void apply() override { hand_over(); }
#ifdef FAILS
  void preresume_setup() override { throw std::runtime_error("trouble before the program is resumed"); }
#endif
};
#endif

}  // namespace

MOULT_UPDATE {
#if defined(THREAD) || defined(THREAD_FUNCTION) || defined(STD_THREAD)
  start();
#endif
#ifdef RESTART
  moult::threaded_manager("test").add_update(
      std::make_unique<moult::ThreadRebootUpdate>("handing", moult::get_thread_by_name("worker"), run_with_notes));
#else
  moult::threaded_manager("test").add_update(std::make_unique<Handing>());
#endif
}
