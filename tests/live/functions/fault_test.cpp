// What fails leaves no trace. On several journeys through moult every fault point on the way is made to fail at its
// first hit, its second, and so on, while two threads call what is to be changed. Afterwards the program must be as it
// was before the journey, every thread must run, and a good update must be applied and taken back.
#include <dlfcn.h>
#include <gelf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <semaphore>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "base/fault.hpp"
#include "code/loader.hpp"
#include "elf/edit_format.hpp"
#include "elf/elf_file.hpp"
#include "fixtures/loaded.hpp"
#include "lifecycle/submission.hpp"
#include "moult/data_update.hpp"
#include "moult/log.hpp"
#include "moult/manager.hpp"
#include "moult/updates.hpp"
#include "moult/variable.hpp"
#include "symbols/program.hpp"

/// The program's own, so that the update's calls of its own have to be kept apart.
int (*volatile called_by_both)() = in_both;

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace internal;

using namespace std::chrono_literals;

MOULT_UPDATABLE int first(int x) { return x + 1; }
MOULT_UPDATABLE int first_two(int x) { return x + 2; }
MOULT_UPDATABLE int second(int x) { return x + 10; }
MOULT_UPDATABLE int second_two(int x) { return x + 20; }

std::vector<Redefinition> both() { return {Redefinition(first, first_two), Redefinition(second, second_two)}; }

struct Counter {
  MOULT_UPDATABLE int value() const { return n; }
  int n;
};
struct CounterV2 {
  MOULT_UPDATABLE int value() const { return -n; }
  int n;
};

class RedefinesAClass final : public Update {
 public:
  RedefinesAClass() : Update("class") {}
  bool wait_alterability() override { return true; }
  bool check_alterability() override { return true; }
  void prepare() override { change_ = prepare_redefinition<Counter, CounterV2>(); }
  void apply() override { change_.make(); }

 private:
  PreparedRedefinition change_;
};

int limit = 1;

class SetsAVariable final : public Update {
 public:
  SetsAVariable() : Update("variable") {}
  bool wait_alterability() override { return true; }
  bool check_alterability() override { return true; }
  void prepare() override { limit_ = &variable<int>("moult::subject::limit"); }
  void apply() override { set_variable(*limit_, 2); }

 private:
  int* limit_ = nullptr;
};

enum class Version { old, fresh, mixed };

Version version() {
  if (first(0) == 1 && second(0) == 10) return Version::old;
  return first(0) == 2 && second(0) == 20 ? Version::fresh : Version::mixed;
}

/// Two threads that are in and out of the functions all the time.
class Callers final {
 public:
  Callers() {
    for (std::atomic<long>& calls : calls_)
      threads_.emplace_back([this, &calls](std::stop_token token) {
        for (int x = 0; !token.stop_requested(); x = (x + 1) & 0xFFFF) {
          int one = first(x);
          int ten = second(x);
          if ((one != x + 1 && one != x + 2) || (ten != x + 10 && ten != x + 20)) wrong_ = true;
          calls.fetch_add(1);
          std::this_thread::yield();
        }
      });
  }

  /// True when every thread makes calls that began after now.
  bool go_on() const {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    for (const std::atomic<long>& calls : calls_)
      for (long before = calls; calls < before + 2; std::this_thread::yield())
        if (std::chrono::steady_clock::now() > deadline) return false;
    return true;
  }
  bool wrong() const { return wrong_; }

 private:
  std::array<std::atomic<long>, 2> calls_{};
  std::atomic<bool> wrong_ = false;
  std::vector<std::jthread> threads_;
};

/// Patience for callers that are in the functions now and then; never postponed.
template <class UpdateT>
std::unique_ptr<UpdateT> impatient(std::unique_ptr<UpdateT> update, int max_tries = 10'000) {
  update->set_patience({.max_tries = max_tries, .sleep_time = 2ms, .stop_timeout = 20s, .max_postponements = 0});
  return update;
}

/// How a journey ended. `is_usual`: as it does when nothing fails.
struct Ending {
  bool is_usual = false;
  std::string reason;
};

/// One way through moult. The version in force before `travel` must be there after it when a point failed.
struct Journey {
  std::string name;
  std::function<void()> begin = [] {};
  std::function<Ending()> travel{};
  std::function<void()> end = [] {};
  Version before = Version::old;
  bool may_recover = false;   ///< a step that failed is tried again
  std::string_view points{};  ///< only those whose name begins so
};

/// The fault points that a change of functions passes. The tests of the other mechanisms cover the rest.
std::vector<std::string_view> points_of_functions() {
  constexpr std::array<std::string_view, 22> others{"additions.",
                                                    "alterability.barrier",
                                                    "alterability.force",
                                                    "alterability.objects",
                                                    "alterability.return",
                                                    "classes.objects",
                                                    "code.gate",
                                                    "code.near_code",
                                                    "code.original",
                                                    "convert.",
                                                    "functions.original",
                                                    "heap.",
                                                    "platform.shared_page",
                                                    "platform.userfaultfd",
                                                    "points.",
                                                    "reboot.",
                                                    "recipes.conversion",
                                                    "recipes.heap_traversal",
                                                    "recipes.reboot_function",
                                                    "recipes.thread_reboot",
                                                    "stacks.",
                                                    "watch."};
  std::vector<std::string_view> points = fault_points();
  std::erase_if(points, [&](std::string_view point) {
    return std::any_of(others.begin(), others.end(), [point](auto other) { return point.starts_with(other); });
  });
  return points;
}

class FaultInjection : public testing::Test {
 protected:
  FaultInjection() {
    set_log_level(LogLevel::none);
    std::string name = testing::TempDir() + "moult-faults-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
  }
  ~FaultInjection() override { std::filesystem::remove_all(folder_); }

  void go_everywhere(FaultKind kind);
  /// How often the journey hits each point when nothing fails.
  std::map<std::string_view, std::size_t> hits_of(const Journey& journey);
  void go_through_all_points(const Journey& journey);
  /// Some points are not hit by the first journey: the near pool opens its pages only once it has some. False if no
  /// journey hits it.
  bool go_to(std::string_view point, const std::vector<Journey>& journeys);
  /// False when the point was not hit that often.
  bool go_with_fault(const Journey& journey, std::string_view point, std::size_t nth);
  void expect_untouched(const Journey& journey, const Ending& ending);
  void expect_a_good_update_applies();

  UpdateReport apply_threaded(std::unique_ptr<Update> update) {
    return threaded_manager_.add_update(std::move(update)).wait(120s);
  }
  UpdateReport apply_inline(std::unique_ptr<Update> update) {
    UpdateHandle handle = inline_manager_.add_update(std::move(update));
    while (!is_ended(handle.report().state)) inline_manager_.apply_next_update();
    return handle.report();
  }

  Journey by_threaded_manager();
  Journey by_inline_manager();
  Journey to_no_quiescence();
  Journey undone_late();
  Journey rolled_back();
  Journey loaded();
  Journey never_changed_before();
  Journey a_class();
  Journey a_variable();
  Journey an_edit(std::string_view points);

  FaultKind kind_ = FaultKind::error;
  std::set<std::string_view> hit_;
  std::filesystem::path folder_;
  ThreadedManager threaded_manager_{"threaded"};
  Manager inline_manager_{"inline"};
  std::uint64_t applied_ = 0;
  Callers callers_;
};

/// The places where threads may stand are read anew when a library came or went: so that this can fail as well.
void change_libraries() {
  void* library = ::dlopen(FIXTURE, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << ::dlerror();
  ::dlclose(library);
}

void FaultInjection::expect_untouched(const Journey& journey, const Ending& ending) {
  EXPECT_FALSE(ending.reason.empty());
  if (!journey.may_recover) {
    EXPECT_FALSE(ending.is_usual) << ending.reason;
  }
  EXPECT_EQ(version(), journey.before) << ending.reason;
}

void FaultInjection::expect_a_good_update_applies() {
  UpdateReport report = apply_threaded(impatient(std::make_unique<SafeRedefineUpdate>("good", both())));
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(version(), Version::fresh);
  roll_back(report.id);
  ASSERT_EQ(version(), Version::old);
}

bool FaultInjection::go_with_fault(const Journey& journey, std::string_view point, std::size_t nth) {
  journey.begin();
  change_libraries();
  bool fired = false;
  Ending ending;
  {
    ArmedFault armed(point, nth, kind_);
    ending = journey.travel();
    fired = armed.fired();
  }
  if (fired)
    expect_untouched(journey, ending);
  else
    EXPECT_TRUE(ending.is_usual) << ending.reason;
  journey.end();
  EXPECT_TRUE(callers_.go_on()) << "a thread was left stopped";
  EXPECT_EQ(version(), Version::old);
  if (fired && nth == 1) expect_a_good_update_applies();
  return fired;
}

std::map<std::string_view, std::size_t> FaultInjection::hits_of(const Journey& journey) {
  journey.begin();
  change_libraries();
  std::map<std::string_view, std::size_t> hits;
  {
    const CountedHits counted;
    EXPECT_TRUE(journey.travel().is_usual) << journey.name;
    for (std::string_view point : points_of_functions()) hits[point] = counted.of(point);
  }
  journey.end();
  return hits;
}

/// The points that this test makes fail. With the address sanitizer an update takes four times as long: there each of
/// the two kinds of fault has every other point, and one hit.
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t hits_to_try = 1;
std::vector<std::string_view> points_for(FaultKind kind) {
  std::vector<std::string_view> points;
  for (std::size_t i = 0; const std::string_view point : points_of_functions())
    if (i++ % 2 == (kind == FaultKind::error ? 0 : 1)) points.push_back(point);
  return points;
}
#else
constexpr std::size_t hits_to_try = 2;
std::vector<std::string_view> points_for(FaultKind) { return points_of_functions(); }
#endif

void FaultInjection::go_through_all_points(const Journey& journey) {
  const std::size_t most_hits = std::getenv("MOULT_SOAK") != nullptr ? 8 : hits_to_try;
  const std::map<std::string_view, std::size_t> hits = hits_of(journey);
  for (std::string_view point : points_for(kind_)) {
    if (!point.starts_with(journey.points)) continue;
    for (std::size_t nth = 1; nth <= std::min(hits.at(point), most_hits); ++nth) {
      SCOPED_TRACE(journey.name + ": " + std::string(point) + " fails at hit " + std::to_string(nth));
      bool fired = go_with_fault(journey, point, nth);
      if (HasFatalFailure()) return;
      if (!fired) break;
      hit_.insert(point);
    }
  }
}

Journey FaultInjection::by_threaded_manager() {
  return {.name = "threaded manager",
          .travel =
              [this] {
                auto update = impatient(std::make_unique<SafeRedefineUpdate>("threaded", both()));
                UpdateReport report = apply_threaded(std::move(update));
                applied_ = report.state == UpdateState::applied ? report.id : 0;
                return Ending{applied_ != 0, report.reason};
              },
          .end =
              [this] {
                if (applied_ != 0) roll_back(applied_);
              }};
}

Journey FaultInjection::by_inline_manager() {
  Journey journey = by_threaded_manager();
  journey.name = "inline manager";
  journey.travel = [this] {
    UpdateReport report = apply_inline(impatient(std::make_unique<SafeRedefineUpdate>("inline", both())));
    applied_ = report.state == UpdateState::applied ? report.id : 0;
    return Ending{applied_ != 0, report.reason};
  };
  return journey;
}

struct Gate {
  std::atomic<bool> entered = false;
  std::binary_semaphore leave{0};
};

MOULT_UPDATABLE int stays(Gate& gate) {
  gate.entered = true;
  gate.leave.acquire();
  return 1;
}
MOULT_UPDATABLE int stays_two(Gate&) { return 2; }

Journey FaultInjection::to_no_quiescence() {
  return {.name = "no quiescence", .travel = [this] {
            Gate gate;
            std::jthread stayer([&gate] { stays(gate); });
            while (!gate.entered) std::this_thread::yield();
            auto update = impatient(std::make_unique<SafeRedefineUpdate>("stays", stays, stays_two), 20);
            UpdateReport report = apply_threaded(std::move(update));
            gate.leave.release();
            EXPECT_TRUE(report.state == UpdateState::failed || report.state == UpdateState::refused);
            return Ending{report.reason.find("stays") != std::string::npos, report.reason};
          }};
}

class ThrowsAtTheEnd final : public SafeRedefineUpdate {
 public:
  using SafeRedefineUpdate::SafeRedefineUpdate;
  void cleanup() override { throw std::runtime_error("trouble at the end"); }
};

Journey FaultInjection::undone_late() {
  return {.name = "undone late",
          .travel =
              [this] {
                UpdateReport report = apply_threaded(impatient(std::make_unique<ThrowsAtTheEnd>("late", both())));
                EXPECT_NE(report.state, UpdateState::applied);
                return Ending{report.reason.find("trouble at the end") != std::string::npos, report.reason};
              },
          .may_recover = true};
}

Journey FaultInjection::rolled_back() {
  return {.name = "roll back",
          .begin =
              [this] {
                UpdateReport report = apply_threaded(impatient(std::make_unique<SafeRedefineUpdate>("again", both())));
                ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
                applied_ = report.id;
              },
          .travel =
              [this] {
                try {
                  roll_back(applied_);
                } catch (const std::exception& error) {
                  return Ending{false, error.what()};
                }
                applied_ = 0;
                return Ending{true, {}};
              },
          .end =
              [this] {
                if (applied_ != 0) roll_back(applied_);
              },
          .before = Version::fresh};
}

Journey FaultInjection::loaded() {
  return {.name = "load", .travel = [this] {
            try {
              load_update(FIXTURE, {.folder = folder_, .force = false, .program_build_id = ""});
              return Ending{true, {}};
            } catch (const std::exception& error) {
              return Ending{false, error.what()};
            }
          }};
}

/// A jump to a far function goes through a slot near the old one, which is kept for the next time: so there are many.
template <int number>
MOULT_UPDATABLE int unchanged(int x) {
  return x + number;
}

template <int... numbers>
std::vector<int (*)(int)> unchanged_functions(std::integer_sequence<int, numbers...>) {
  return {unchanged<numbers + 1000>...};
}

Journey FaultInjection::never_changed_before() {
  return {.name = "never changed before",
          .travel =
              [this, next = std::size_t{0}]() mutable {
                static const auto functions = unchanged_functions(std::make_integer_sequence<int, 64>());
                int (*function)(int) = functions.at(next++);
                int (*far_function)(int) = ::abs;  // of the C library
                int before = function(-1);
                auto update = impatient(std::make_unique<SafeRedefineUpdate>("unchanged", function, far_function));
                UpdateReport report = apply_threaded(std::move(update));
                bool is_applied = report.state == UpdateState::applied;
                EXPECT_EQ(function(-1), is_applied ? 1 : before);
                if (is_applied) roll_back(report.id);
                EXPECT_EQ(function(-1), before);
                return Ending{is_applied, report.reason};
              },
          .points = "code.near_pool"};
}

Journey FaultInjection::a_class() {
  return {.name = "class",
          .travel =
              [this] {
                UpdateReport report = apply_threaded(impatient(std::make_unique<RedefinesAClass>()));
                bool is_applied = report.state == UpdateState::applied;
                EXPECT_EQ(Counter{1}.value(), is_applied ? -1 : 1);
                if (is_applied) roll_back(report.id);
                EXPECT_EQ(Counter{1}.value(), 1);
                return Ending{is_applied, report.reason};
              },
          .points = "classes.class"};
}

Journey FaultInjection::a_variable() {
  return {.name = "variable",
          .travel =
              [this] {
                UpdateReport report = apply_threaded(impatient(std::make_unique<SetsAVariable>()));
                bool is_applied = report.state == UpdateState::applied;
                EXPECT_EQ(limit, is_applied ? 2 : 1);
                if (is_applied) roll_back(report.id);
                EXPECT_EQ(limit, 1);
                return Ending{is_applied, report.reason};
              },
          .points = "functions.set_variable"};
}

/// An edit of the sources replaces the function.
MOULT_UPDATABLE int edited() { return 1; }

/// The fixture, with the place of `edited` in its table.
std::string edit_of(const std::filesystem::path& folder) {
  std::filesystem::path path = folder / "edit.so";
  if (std::filesystem::exists(path)) return path;
  std::filesystem::copy_file(EDIT_FIXTURE, path);
  const Program program = Program::of_this_process();
  const CodeAddress address{reinterpret_cast<std::uintptr_t>(&edited)};
  const std::uint64_t place[] = {value(address) - program.modules().front().bias, program.at(address)->range.size()};
  const ElfFile fixture = ElfFile::open(path);
  GElf_Shdr table{};
  gelf_getshdr(fixture.section(functions_section), &table);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(table.sh_offset));
  file.write(reinterpret_cast<const char*>(place), sizeof place);
  return path;
}

/// From the file to the change and back. Of the points of loading, those for edits alone.
Journey FaultInjection::an_edit(std::string_view points) {
  return {.name = "edit",
          .travel =
              [this] {
                Submission submission(Submission::Mode::apply);
                try {
                  const Submission::Scope scope(submission);
                  load_update(edit_of(folder_), {.folder = folder_, .program_build_id = "deadbeef01"}).run();
                } catch (const std::exception& error) {
                  return Ending{false, error.what()};
                }
                const UpdateReport report = submission.handles().front().wait(120s);
                const bool is_applied = report.state == UpdateState::applied;
                EXPECT_EQ(edited(), is_applied ? 2 : 1);
                if (is_applied) roll_back(report.id);
                EXPECT_EQ(edited(), 1);
                return Ending{is_applied, report.reason};
              },
          .points = points};
}

bool FaultInjection::go_to(std::string_view point, const std::vector<Journey>& journeys) {
  return std::any_of(journeys.begin(), journeys.end(), [&](const Journey& journey) {
    SCOPED_TRACE(journey.name + ": " + std::string(point) + " fails");
    return go_with_fault(journey, point, 1);
  });
}

void FaultInjection::go_everywhere(FaultKind wanted) {
  kind_ = wanted;
  const std::vector<Journey> journeys{never_changed_before(),
                                      by_threaded_manager(),
                                      by_inline_manager(),
                                      to_no_quiescence(),
                                      undone_late(),
                                      rolled_back(),
                                      loaded(),
                                      a_class(),
                                      a_variable(),
                                      an_edit("code.edit_placement"),
                                      an_edit("recipes.edit")};
  for (const Journey& journey : journeys) {
    go_through_all_points(journey);
    if (HasFatalFailure()) return;
  }
  std::set<std::string_view> missed;
  for (std::string_view point : points_for(kind_))
    if (!hit_.contains(point) && !go_to(point, journeys)) missed.insert(point);
  EXPECT_FALSE(callers_.wrong());
  EXPECT_THAT(missed, testing::IsEmpty()) << "no journey of this test comes by there; add one";
}

TEST_F(FaultInjection, AnErrorAtAnyStepLeavesTheProgramAsItWasRunningAndUpdatable) { go_everywhere(FaultKind::error); }

TEST_F(FaultInjection, MemoryThatRunsOutAtAnyStepLeavesTheProgramAsItWasRunningAndUpdatable) {
  go_everywhere(FaultKind::out_of_memory);
}

}  // namespace subject
}  // namespace moult
