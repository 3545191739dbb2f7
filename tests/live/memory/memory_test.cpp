// Each allocation in the path of each command fails in turn, alone and with all that follow. The program must live and
// answer, its objects must be all old or all new, and the command must succeed when memory is there again.
//
// A command allocates up to a hundred thousand times. A sample of the positions is tried, from a seed that is printed
// (MEMORY_SEED repeats it). With MOULT_SOAK set, all of them are tried in both ways.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "program.hpp"
#include "protocol/reply.hpp"

namespace memory {
namespace {

using namespace moult::internal;
using State = Program::State;

constexpr std::size_t sampled_positions = 200;
/// Half of the sample is from the end: most allocations are for reading, and the change comes last.
constexpr std::size_t late_positions = 500;
/// A command is sent again after every so many that have failed, and when soaking after each.
constexpr std::size_t tries_without_another = 8;
constexpr State all_old{1, 1000, 0, 0};
constexpr State new_function{2, 1000, 0, 0};
constexpr State new_objects{1, 0, 1000, 0};

bool is_soaking() { return std::getenv("MOULT_SOAK") != nullptr; }

std::vector<std::int64_t> positions_up_to(std::int64_t last) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(last));
  std::iota(all.begin(), all.end(), 1);
  if (is_soaking() || all.size() <= sampled_positions) return all;
  const char* const given = std::getenv("MEMORY_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
  std::cout << "MEMORY_SEED=" << seed << ", " << sampled_positions << " of " << last << " allocations" << std::endl;
  std::mt19937 random(seed);
  const std::size_t late = std::min(all.size(), late_positions);
  std::vector<std::int64_t> some;
  std::ranges::sample(all.begin(), all.end(), std::back_inserter(some), sampled_positions / 2, random);
  std::ranges::sample(all.end() - static_cast<std::ptrdiff_t>(late), all.end(), std::back_inserter(some),
                      sampled_positions / 2, random);
  return some;
}

bool is_success(const std::optional<std::string>& reply) { return reply && !parse_failure(*reply); }

std::string words(const std::optional<std::string>& reply) { return reply.value_or("no reply"); }

/// A command and the states before and after it.
struct Trial {
  Command command;
  State before = all_old;
  State after = all_old;
  std::vector<Command> preparation{};  ///< leads to the state before, in a program that has just started
  std::optional<Command> way_back{};   ///< leads from the state after to the one before; else the program starts anew
};

class Sweep final {
 public:
  explicit Sweep(Trial trial) : trial_(std::move(trial)) {}

  void run() {
    start();
    count_allocations();  // the first time is longer: much is made once
    const std::int64_t count = count_allocations();
    ASSERT_GT(count, 0);
    for (const std::int64_t position : positions_up_to(count)) {
      const bool is_alone = position % 2 == 0;
      if (is_alone || is_soaking()) try_position(position, Failing::one);
      if (!is_alone || is_soaking()) try_position(position, Failing::all_further);
      if (testing::Test::HasFatalFailure()) return;
    }
    std::cout << answered_ << " answers, " << refused_ << " of them errors, " << silent_ << " closed connections"
              << std::endl;
  }

 private:
  /// Without a second of the same command the state would not be that before.
  std::int64_t count_allocations() {
    const std::int64_t count = program_->allocations_of(trial_.command);
    EXPECT_EQ(program_->state(), trial_.after);
    go_back();
    return count;
  }

  void start() {
    program_ = std::make_unique<Program>();
    for (const Command& command : trial_.preparation) {
      const std::optional<std::string> reply = program_->call(command);
      ASSERT_TRUE(is_success(reply)) << words(reply);
    }
    ASSERT_EQ(program_->state(), trial_.before);
  }

  void go_back() {
    if (trial_.before == trial_.after) return;
    if (!trial_.way_back) return start();
    const std::optional<std::string> reply = program_->call(*trial_.way_back);
    ASSERT_TRUE(is_success(reply)) << words(reply);
    ASSERT_EQ(program_->state(), trial_.before);
  }

  void try_position(std::int64_t position, Failing failing) {
    SCOPED_TRACE("allocation " + std::to_string(position) +
                 (failing == Failing::one ? " fails" : " and all further ones fail"));
    const std::optional<std::string> reply = program_->call_failing(trial_.command, position, failing);
    note(reply);
    const State state = program_->state();
    if (!program_->is_alive()) {
      ADD_FAILURE() << "the program has ended: " << program_->end();
      return start();
    }
    if (failing == Failing::one) EXPECT_TRUE(reply) << "no reply";
    EXPECT_TRUE(state == trial_.before || state == trial_.after) << state << "; " << words(reply);
    if (is_success(reply)) EXPECT_EQ(state, trial_.after) << words(reply);
    if (state == trial_.after && trial_.before != trial_.after) return go_back();
    if (!is_soaking() && ++unchanged_ % tries_without_another != 0) return;
    const std::optional<std::string> again = program_->call(trial_.command);
    ASSERT_TRUE(is_success(again)) << words(again) << "; before: " << words(reply);
    ASSERT_EQ(program_->state(), trial_.after);
    go_back();
  }

  void note(const std::optional<std::string>& reply) {
    if (!reply) ++silent_;
    if (reply) ++answered_;
    if (reply && !is_success(reply)) ++refused_;
  }

  Trial trial_;
  std::unique_ptr<Program> program_;
  std::size_t unchanged_ = 0;  ///< tries that have left the state as it was
  int answered_ = 0;
  int refused_ = 0;
  int silent_ = 0;
};

void sweep(Trial trial) { Sweep(std::move(trial)).run(); }

std::string update(const std::string& name) { return std::string(UPDATES) + name + ".so"; }

const UpdateRequest apply_function{.path = update("function")};
const UpdateRequest apply_conversion{.path = update("conversion")};
const UpdateRequest apply_lazy_conversion{.path = update("lazy_conversion")};

TEST(Memory, StatusOutlivesEveryFailedAllocation) { sweep({.command = StatusRequest{}}); }

TEST(Memory, StatusOfAnUpdateOutlivesEveryFailedAllocation) {
  sweep({.command = StatusRequest{}, .before = new_function, .after = new_function, .preparation = {apply_function}});
}

TEST(Memory, LogOutlivesEveryFailedAllocation) {
  sweep({.command = LogRequest{}, .before = new_function, .after = new_function, .preparation = {apply_function}});
}

TEST(Memory, SetOutlivesEveryFailedAllocation) { sweep({.command = SetRequest{moult::LogLevel::all, "/dev/null"}}); }

TEST(Memory, ObjectsOutlivesEveryFailedAllocation) { sweep({.command = ObjectsRequest{}}); }

TEST(Memory, FunctionsOutlivesEveryFailedAllocation) { sweep({.command = FunctionsRequest{"answer"}}); }

TEST(Memory, ThreadsOutlivesEveryFailedAllocation) { sweep({.command = ThreadsRequest{}}); }

TEST(Memory, ThreadsWithLocalsOutlivesEveryFailedAllocation) { sweep({.command = ThreadsRequest{.locals = true}}); }

TEST(Memory, CheckOutlivesEveryFailedAllocation) { sweep({.command = CheckRequest{.path = update("function")}}); }

TEST(Memory, ApplyOfAFunctionOutlivesEveryFailedAllocation) {
  sweep({.command = apply_function, .after = new_function, .way_back = RollbackRequest{"answer"}});
}

TEST(Memory, RollbackOfAFunctionOutlivesEveryFailedAllocation) {
  sweep({.command = RollbackRequest{"answer"},
         .before = new_function,
         .after = all_old,
         .preparation = {apply_function},
         .way_back = apply_function});
}

TEST(Memory, EagerConversionOutlivesEveryFailedAllocation) {
  sweep({.command = apply_conversion, .after = new_objects, .way_back = RollbackRequest{"data"}});
}

TEST(Memory, RollbackOfAnEagerConversionOutlivesEveryFailedAllocation) {
  sweep({.command = RollbackRequest{"data"},
         .before = new_objects,
         .after = all_old,
         .preparation = {apply_conversion},
         .way_back = apply_conversion});
}

TEST(Memory, LazyConversionOutlivesEveryFailedAllocation) {
  sweep({.command = apply_lazy_conversion, .after = new_objects});
}

/// The first use of an object waits for memory.
TEST(Memory, ObjectsAreConvertedAtTheirFirstUseWhenMemoryIsThere) {
  constexpr std::int64_t more_than_it_takes = 40;
  for (std::int64_t position = 1; position <= more_than_it_takes; ++position)
    for (const Failing failing : {Failing::one, Failing::all_further}) {
      SCOPED_TRACE("allocation " + std::to_string(position));
      Program program;
      program.leave_objects();
      const std::optional<std::string> reply = program.call(apply_lazy_conversion);
      ASSERT_TRUE(is_success(reply)) << words(reply);
      program.use_objects(position, failing);
      EXPECT_EQ(program.state(), new_objects);
      ASSERT_TRUE(program.is_alive()) << program.end();
    }
}

/// Applies an update again and again to a program that is short of something: of less each time.
void apply_in_shortage(const Trial& trial, Shortage shortage, const std::vector<std::int64_t>& amounts) {
  auto program = std::make_unique<Program>();
  int applied = 0;
  for (const std::int64_t left : amounts) {
    SCOPED_TRACE("left: " + std::to_string(left));
    program->make_short_of(shortage, left);
    const std::optional<std::string> reply = program->call(trial.command);
    program->end_shortage();
    const State state = program->state();
    if (!program->is_alive()) {
      ADD_FAILURE() << "the program has ended: " << program->end();
      program = std::make_unique<Program>();
      continue;
    }
    EXPECT_TRUE(state == trial.before || state == trial.after) << state << "; " << words(reply);
    if (is_success(reply)) {
      EXPECT_EQ(state, trial.after);
      ++applied;
    }
    if (state != trial.after) {
      const std::optional<std::string> again = program->call(trial.command);
      ASSERT_TRUE(is_success(again)) << words(again) << "; before: " << words(reply);
    }
    ASSERT_EQ(program->state(), trial.after) << words(reply);
    const std::optional<std::string> back = trial.way_back ? program->call(*trial.way_back) : std::nullopt;
    if (!is_success(back)) program = std::make_unique<Program>();
    ASSERT_EQ(program->state(), trial.before);
  }
  std::cout << "applied " << applied << " of " << amounts.size() << " times" << std::endl;
}

const Trial function_trial{.command = apply_function, .after = new_function, .way_back = RollbackRequest{"answer"}};
const Trial conversion_trial{.command = apply_conversion, .after = new_objects, .way_back = RollbackRequest{"data"}};
const Trial lazy_trial{.command = apply_lazy_conversion, .after = new_objects};

std::vector<std::int64_t> few_mappings() {
  std::vector<std::int64_t> amounts;
  for (std::int64_t each = 0; each < (is_soaking() ? 100 : 32); each += is_soaking() ? 1 : 2) amounts.push_back(each);
  return amounts;
}

std::vector<std::int64_t> little_address_space() {
  constexpr std::int64_t mebibyte = 1024 * 1024;
  std::vector<std::int64_t> amounts;
  for (std::int64_t each = 0; each < (is_soaking() ? 64 : 16); ++each) {
    amounts.push_back(each * 2 * mebibyte);
    amounts.push_back(each * 256 * mebibyte);  // a lazy conversion needs another region for a pool's of 1 GiB
  }
  return amounts;
}

TEST(Memory, WithFewMappingsAFunctionIsRedefinedOrNot) {
  apply_in_shortage(function_trial, Shortage::mappings, few_mappings());
}

TEST(Memory, WithFewMappingsAllObjectsAreConvertedOrNone) {
  apply_in_shortage(conversion_trial, Shortage::mappings, few_mappings());
}

TEST(Memory, WithFewMappingsALazyConversionIsMadeOrNot) {
  apply_in_shortage(lazy_trial, Shortage::mappings, few_mappings());
}

TEST(Memory, WithLittleAddressSpaceAFunctionIsRedefinedOrNot) {
  apply_in_shortage(function_trial, Shortage::address_space, little_address_space());
}

TEST(Memory, WithLittleAddressSpaceAllObjectsAreConvertedOrNone) {
  apply_in_shortage(conversion_trial, Shortage::address_space, little_address_space());
}

TEST(Memory, WithLittleAddressSpaceALazyConversionIsMadeOrNot) {
  apply_in_shortage(lazy_trial, Shortage::address_space, little_address_space());
}

}  // namespace
}  // namespace memory
