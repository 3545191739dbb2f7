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

constexpr std::size_t sampled_positions = 80;
/// Of a command that takes long, or is sent in several ways.
constexpr std::size_t fewer_positions = 40;
/// Half of the sample is from the end: most allocations are for reading, and the change comes last.
constexpr std::size_t late_positions = 500;
/// A command is sent again after every so many that have failed, and when soaking after each.
constexpr std::size_t tries_without_another = 8;
constexpr State all_old{1, 1000, 0, 0};
constexpr State new_function{2, 1000, 0, 0};
constexpr State new_objects{1, 0, 1000, 0};

bool is_soaking() { return std::getenv("MOULT_SOAK") != nullptr; }

/// For a sample of `size` of the things that there are: says the seed.
std::mt19937 random_for(std::size_t size, std::size_t all, const char* things) {
  const char* const given = std::getenv("MEMORY_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
  std::cout << "MEMORY_SEED=" << seed << ", " << size << " of " << all << " " << things << std::endl;
  return std::mt19937(seed);
}

std::vector<std::int64_t> positions_up_to(std::int64_t last, std::size_t sample = sampled_positions) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(last));
  std::iota(all.begin(), all.end(), 1);
  if (is_soaking() || all.size() <= sample) return all;
  std::mt19937 random = random_for(sample, all.size(), "allocations");
  const std::size_t late = std::min(all.size(), late_positions);
  std::vector<std::int64_t> some;
  std::ranges::sample(all.begin(), all.end(), std::back_inserter(some), sample / 2, random);
  std::ranges::sample(all.end() - static_cast<std::ptrdiff_t>(late), all.end(), std::back_inserter(some), sample / 2,
                      random);
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
  Way way = Way::socket;
  std::size_t objects = 1000;
  bool is_refused = false;  ///< also when there is memory
  std::size_t sample = sampled_positions;
};

class Sweep final {
 public:
  explicit Sweep(Trial trial) : trial_(std::move(trial)) {}

  void run() {
    start();
    count_allocations();  // the first time is longer: much is made once
    const std::int64_t count = count_allocations();
    ASSERT_GT(count, 0);
    for (const std::int64_t position : positions_up_to(count, trial_.sample)) {
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
    const std::int64_t count = program_->allocations_of(trial_.command, trial_.way);
    EXPECT_EQ(program_->state(), trial_.after);
    go_back();
    return count;
  }

  void start() {
    program_ =
        std::make_unique<Program>(Beginning{.objects = trial_.objects, .has_every_way = trial_.way != Way::socket});
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
    const std::optional<std::string> reply = program_->call_failing(trial_.command, position, failing, trial_.way);
    note(reply);
    program_->wait_for_updates();
    const State state = program_->state();
    if (!program_->is_alive()) {
      ADD_FAILURE() << "the program has ended: " << program_->end();
      return start();
    }
    // On TCP the connection itself may lack memory.
    EXPECT_TRUE(reply || failing != Failing::one || trial_.way != Way::socket) << "no reply";
    EXPECT_TRUE(state == trial_.before || state == trial_.after) << state << "; " << words(reply);
    EXPECT_TRUE(!is_success(reply) || state == trial_.after) << state << "; " << words(reply);
    if (state == trial_.after && trial_.before != trial_.after) return go_back();
    if (!is_soaking() && ++unchanged_ % tries_without_another != 0) return;
    const std::optional<std::string> again = program_->call(trial_.command, trial_.way);
    if (trial_.is_refused)
      ASSERT_NE(again.value_or("").find("not_found"), std::string::npos) << words(again);
    else
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

TEST(Memory, LogThatIsFollowedOutlivesEveryFailedAllocation) {
  sweep({.command = LogRequest{.follow = true},
         .before = new_function,
         .after = new_function,
         .preparation = {apply_function}});
}

TEST(Memory, WithdrawalOutlivesEveryFailedAllocation) {
  sweep({.command = WithdrawRequest{"of nothing in progress"}, .is_refused = true});
}

TEST(Memory, SetOutlivesEveryFailedAllocation) { sweep({.command = SetRequest{moult::LogLevel::all, "/dev/null"}}); }

TEST(Memory, ObjectsOutlivesEveryFailedAllocation) { sweep({.command = ObjectsRequest{}}); }

TEST(Memory, FunctionsOutlivesEveryFailedAllocation) { sweep({.command = FunctionsRequest{"answer"}}); }

TEST(Memory, ThreadsOutlivesEveryFailedAllocation) { sweep({.command = ThreadsRequest{}, .sample = fewer_positions}); }

TEST(Memory, ThreadsWithLocalsOutlivesEveryFailedAllocation) {
  sweep({.command = ThreadsRequest{.locals = true}, .sample = fewer_positions});
}

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

TEST(Memory, RollbackOfAllOutlivesEveryFailedAllocation) {
  sweep({.command = RollbackRequest{AllUpdates{}},
         .before = new_function,
         .after = all_old,
         .preparation = {apply_function},
         .way_back = apply_function});
}

TEST(Memory, ApplyOverTcpOutlivesEveryFailedAllocation) {
  sweep({.command = apply_function,
         .after = new_function,
         .way_back = RollbackRequest{"answer"},
         .way = Way::tcp,
         .sample = fewer_positions});
}

/// As `moult apply --timeout` sends it.
TEST(Memory, ApplyWithNoticesOutlivesEveryFailedAllocation) {
  UpdateRequest request = apply_function;
  request.keep_trying = false;
  request.notices = true;
  request.key = "key";
  sweep({.command = request, .after = new_function, .way_back = RollbackRequest{"answer"}, .sample = fewer_positions});
}

TEST(Memory, ConversionByManyThreadsOutlivesEveryFailedAllocation) {
  constexpr std::int64_t worth_sharing_out = 60'000;
  sweep({.command = UpdateRequest{.path = update("concurrent_conversion")},
         .before = {1, worth_sharing_out, 0, 0},
         .after = {1, 0, worth_sharing_out, 0},
         .way_back = RollbackRequest{"data"},
         .objects = worth_sharing_out,
         .sample = fewer_positions});
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

TEST(Memory, AListenerThatCannotBeMadeIsMadeWhenMemoryIsThere) {
  const std::int64_t count = Program({.has_every_way = true}).allocations_made();
  for (const std::int64_t position : positions_up_to(count)) {
    SCOPED_TRACE("allocation " + std::to_string(position));
    const Failing failing = position % 2 == 0 ? Failing::one : Failing::all_further;
    Program program({.has_every_way = true, .position = position, .failing = failing});
    EXPECT_EQ(program.state(), all_old);
    program.wait_for_listeners();
    ASSERT_TRUE(program.is_alive()) << program.end();
    for (const Way way : {Way::socket, Way::tcp}) {
      const std::optional<std::string> reply = program.call(StatusRequest{}, way);
      ASSERT_TRUE(is_success(reply)) << words(reply);
    }
  }
}

TEST(Memory, APipeOutlivesEveryFailedAllocation) {
  constexpr std::size_t tried_positions = 24;
  const std::string line = "update " + update("function");
  Program program({.has_every_way = true});
  const auto take_back = [&program] {
    const std::optional<std::string> reply = program.call(RollbackRequest{"answer"});
    ASSERT_TRUE(is_success(reply)) << words(reply);
    ASSERT_EQ(program.state(), all_old);
  };
  program.write_to_pipe(line);
  take_back();
  std::vector<std::int64_t> positions = positions_up_to(program.write_to_pipe(line));
  take_back();
  std::shuffle(positions.begin(), positions.end(), std::mt19937(static_cast<unsigned>(positions.front())));
  if (!is_soaking()) positions.resize(std::min(positions.size(), tried_positions));
  for (const std::int64_t position : positions) {
    SCOPED_TRACE("allocation " + std::to_string(position));
    program.write_to_pipe(line, position, position % 2 == 0 ? Failing::one : Failing::all_further);
    ASSERT_TRUE(program.is_alive()) << program.end();
    if (program.state() == all_old) program.write_to_pipe(line);
    ASSERT_EQ(program.state(), new_function);
    take_back();
    if (HasFatalFailure()) return;
  }
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
    program->wait_for_updates();
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

/// To use up all mappings but so many takes half a second.
std::vector<std::int64_t> few_mappings() {
  constexpr std::size_t sampled_amounts = 8;
  std::vector<std::int64_t> amounts(is_soaking() ? 100 : 32);
  std::iota(amounts.begin(), amounts.end(), 0);
  if (is_soaking()) return amounts;
  std::mt19937 random = random_for(sampled_amounts, amounts.size(), "amounts");
  std::vector<std::int64_t> some;
  std::ranges::sample(amounts, std::back_inserter(some), sampled_amounts, random);
  return some;
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
