// The protocol of static update points, in every order of its steps.
//
// The model consists of the registry itself and the next actions of the threads and managers. A step is an action under
// the registry's lock, or one look at a word or at the count; other threads can act between any two steps. From each
// state the test takes every possible step, and visits no state twice.
#include "points/point_registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <unordered_set>
#include <vector>

namespace moult::internal {
namespace {

Seat* seat_number(std::size_t number) { return reinterpret_cast<Seat*>(number + 1); }
std::size_t number_of(const Seat* seat) { return reinterpret_cast<std::uintptr_t>(seat) - 1; }
ThreadId thread_number(std::size_t number) { return ThreadId{static_cast<std::int32_t>(number + 1)}; }

/// The next action of one thread of the program.
enum class Next : char { look_at_count, arrive, look_at_word, sleep, asleep, work, end_work, end, ended, unborn };
/// The next action of one update's manager.
enum class Manages : char { begin, look, ask, await_work, be_in_force, take_off, let_go, ended };

struct Walker {
  Next next = Next::look_at_count;
  int rounds = 1;          ///< rounds of its loop before it ends
  bool is_active = false;  ///< applies an update when it is called
  bool is_starting = false;
  SeatWord word = SeatWord::waiting;
};

struct Keeper {
  Manages next = Manages::begin;
  std::vector<ThreadId> threads{};
  bool gives_up = false;  ///< may stop waiting at any time
  bool calls = false;     ///< calls an active thread to apply the update
  bool is_working = false;
};

struct Model {
  PointRegistry registry;
  std::vector<Walker> walkers;
  std::vector<Keeper> keepers;
  int locked_by = -1;              ///< the keeper that is just releasing seats
  std::vector<std::size_t> to_go;  ///< seats that it has removed and not released yet
  bool expires = false;            ///< threads may expire abandoned waits
  bool has_expired = false;
  std::string broken;

  std::string key() const;
};

std::string Model::key() const {
  std::string text;
  auto add = [&text](auto... numbers) { ((text += std::to_string(static_cast<long>(numbers)) + ','), ...); };
  for (const Walker& walker : walkers) add(walker.next, walker.rounds, walker.word, walker.is_starting);
  PointRegistry copy = registry;
  for (std::size_t i = 0; i < keepers.size(); ++i) {
    add(keepers[i].next, keepers[i].is_working);
    if (const PointWait* wait = copy.find(seat_number(i))) add(wait->is_reached, wait->is_expired);
  }
  text += '|';
  for (const Seated& seated : registry.seats()) add(seated.thread, seated.is_at_start);
  text += '|';
  for (ThreadId thread : registry.threads()) add(thread);
  text += '|';
  for (std::size_t seat : to_go) add(seat);
  add(locked_by, registry.count(), has_expired);
  return text;
}

/// All steps from one state, each with its resulting state.
class Steps final {
 public:
  explicit Steps(const Model& from) : from_(from) {
    for (std::size_t i = 0; i < from.walkers.size(); ++i) walk(i);
    for (std::size_t i = 0; i < from.keepers.size(); ++i) keep(i);
  }
  std::vector<Model> all() && { return std::move(all_); }

 private:
  /// Adds the state after `change`.
  template <class Change>
  void step(Change&& change) {
    Model next = from_;
    change(next);
    all_.push_back(std::move(next));
  }
  bool is_unlocked() const { return from_.locked_by < 0; }
  static const void* owner(std::size_t keeper) { return seat_number(keeper); }

  void walk(std::size_t i);
  void keep(std::size_t i);
  static void pass(Walker& walker);
  static void sit_or_pass(Model& model, std::size_t i);
  static void take_off(Model& model, std::size_t i);
  static void expect_all_at_their_points(Model& model, std::size_t keeper);

  const Model& from_;
  std::vector<Model> all_;
};

void Steps::pass(Walker& walker) {
  walker.next = walker.is_starting ? Next::look_at_count : --walker.rounds > 0 ? Next::look_at_count : Next::end;
  walker.is_starting = false;
}

void Steps::sit_or_pass(Model& model, std::size_t i) {
  Walker& walker = model.walkers[i];
  walker.word = SeatWord::waiting;
  const Seated arrival{thread_number(i), "top", walker.is_starting, walker.is_active, seat_number(i)};
  if (model.registry.arrive(arrival))
    walker.next = Next::look_at_word;
  else
    pass(walker);
}

void Steps::walk(std::size_t i) {
  const Walker& walker = from_.walkers[i];
  switch (walker.next) {
    case Next::unborn:
      if (!is_unlocked()) return;
      return step([i](Model& model) {
        model.registry.add_thread(thread_number(i));
        model.walkers[i].next = Next::look_at_count;
      });
    case Next::look_at_count:
      return step([i](Model& model) {
        if (model.registry.count() == 0) return pass(model.walkers[i]);
        model.walkers[i].next = Next::arrive;
      });
    case Next::arrive:
      if (!is_unlocked()) return;
      return step([i](Model& model) { sit_or_pass(model, i); });
    case Next::look_at_word:
      return step([i](Model& model) {
        Walker& here = model.walkers[i];
        if (here.word == SeatWord::released) return pass(here);
        here.next = here.word == SeatWord::called ? Next::work : Next::sleep;
      });
    case Next::sleep:  // the kernel compares and sleeps in one step
      return step([i](Model& model) {
        Walker& here = model.walkers[i];
        here.next = here.word == SeatWord::waiting ? Next::asleep : Next::look_at_word;
      });
    case Next::asleep:  // wakes for no reason, or to look for abandoned waits
      if (!from_.expires || !is_unlocked()) return;
      return step([i](Model& model) {
        model.walkers[i].next = Next::look_at_word;
        model.has_expired = true;
        auto is_forgotten = [&model](const PointWait& wait) {
          return model.keepers[number_of(static_cast<const Seat*>(wait.owner))].next == Manages::look;
        };
        model.registry.expire(is_forgotten, [&model](Seat* seat) {
          Walker& walker_there = model.walkers[number_of(seat)];
          walker_there.word = SeatWord::released;
          if (walker_there.next == Next::asleep) walker_there.next = Next::look_at_word;
        });
      });
    case Next::work:
      return step([i](Model& model) {
        for (std::size_t keeper = 0; keeper < model.keepers.size(); ++keeper)
          if (model.keepers[keeper].is_working) expect_all_at_their_points(model, keeper);
        model.walkers[i].next = Next::end_work;
      });
    case Next::end_work:
      return step([i](Model& model) {
        model.walkers[i].word = after_work(model.walkers[i].word);
        model.walkers[i].next = Next::look_at_word;
        for (Keeper& keeper : model.keepers) keeper.is_working = false;
      });
    case Next::end:
      if (!is_unlocked()) return;
      return step([i](Model& model) {
        model.registry.remove_thread(thread_number(i));
        model.walkers[i].next = Next::ended;
      });
    case Next::ended: return;
  }
}

/// Every wanted thread has a seat and was not released.
void Steps::expect_all_at_their_points(Model& model, std::size_t keeper) {
  const std::vector<ThreadId>& meant =
      model.keepers[keeper].threads.empty() ? model.registry.threads() : model.keepers[keeper].threads;
  for (ThreadId thread : meant) {
    const Walker& walker = model.walkers[static_cast<std::size_t>(thread) - 1];
    const bool is_there = walker.next == Next::look_at_word || walker.next == Next::sleep ||
                          walker.next == Next::asleep || walker.next == Next::work || walker.next == Next::end_work;
    // A starting thread may still be on its way to its seat; it has run nothing yet.
    const bool is_before_main = walker.is_starting;
    if ((!is_there || walker.word == SeatWord::released) && !is_before_main)
      model.broken = "thread " + std::to_string(static_cast<int>(thread)) + " is not at its point";
  }
}

void Steps::take_off(Model& model, std::size_t i) {
  model.locked_by = static_cast<int>(i);
  model.registry.end(owner(i), [&model](Seat* seat) { model.to_go.push_back(number_of(seat)); });
  model.keepers[i].next = Manages::let_go;
}

void Steps::keep(std::size_t i) {
  const Keeper& keeper = from_.keepers[i];
  switch (keeper.next) {
    case Manages::begin:
      if (!is_unlocked()) return;
      return step([i](Model& model) {
        PointWait wait{.owner = owner(i), .points = {}, .threads = model.keepers[i].threads};
        if (!model.registry.means_anybody(wait)) return void(model.keepers[i].next = Manages::ended);
        model.registry.begin(std::move(wait));
        model.keepers[i].next = Manages::look;
      });
    case Manages::look: {
      if (!is_unlocked()) return;
      if (keeper.gives_up) step([i](Model& model) { take_off(model, i); });
      PointRegistry registry = from_.registry;
      PointWait& wait = *registry.find(owner(i));
      if (!registry.is_reached(wait)) {
        if (registry.is_deserted(wait)) return step([i](Model& model) { take_off(model, i); });  // the update fails
        // It sleeps until an arrival or an end, which both wake it. The look may matter to an expired wait.
        if (from_.has_expired) step([i](Model& model) { model.registry.is_reached(*model.registry.find(owner(i))); });
        return;
      }
      return step([i](Model& model) {
        model.registry.is_reached(*model.registry.find(owner(i)));
        model.keepers[i].next = model.keepers[i].calls ? Manages::ask : Manages::be_in_force;
      });
    }
    case Manages::ask:
      if (!is_unlocked()) return;
      return step([i](Model& model) {
        Seat* seat = model.registry.active_seat(owner(i));
        if (seat == nullptr) return void(model.keepers[i].next = Manages::be_in_force);
        Walker& walker = model.walkers[number_of(seat)];
        walker.word = SeatWord::called;
        if (walker.next == Next::asleep) walker.next = Next::look_at_word;
        model.keepers[i].is_working = true;
        model.keepers[i].next = Manages::await_work;
      });
    case Manages::await_work:
      if (keeper.is_working) return;
      return step([i](Model& model) { model.keepers[i].next = Manages::take_off; });
    case Manages::be_in_force:
      return step([i](Model& model) {
        expect_all_at_their_points(model, i);
        model.keepers[i].next = Manages::take_off;
      });
    case Manages::take_off:
      if (!is_unlocked()) return;
      return step([i](Model& model) { take_off(model, i); });
    case Manages::let_go:
      return step([i](Model& model) {
        if (model.to_go.empty()) {
          model.locked_by = -1;
          model.keepers[i].next = Manages::ended;
          return;
        }
        Walker& walker = model.walkers[model.to_go.back()];
        model.to_go.pop_back();
        walker.word = SeatWord::released;
        if (walker.next == Next::asleep) walker.next = Next::look_at_word;
      });
    case Manages::ended: return;
  }
}

bool is_at_its_end(const Model& model) {
  return std::all_of(model.walkers.begin(), model.walkers.end(),
                     [](const Walker& w) { return w.next == Next::ended; }) &&
         std::all_of(model.keepers.begin(), model.keepers.end(),
                     [](const Keeper& keeper) { return keeper.next == Manages::ended; });
}

/// Explores all reachable states, and returns their number.
std::size_t explore(const Model& first) {
  std::unordered_set<std::string> seen{first.key()};
  std::vector<Model> open{first};
  while (!open.empty()) {
    const Model model = std::move(open.back());
    open.pop_back();
    std::vector<Model> next = Steps(model).all();
    if (next.empty() && !is_at_its_end(model)) {
      ADD_FAILURE() << "nobody can go on: " << model.key();
      return 0;
    }
    for (Model& state : next) {
      if (!state.broken.empty()) {
        ADD_FAILURE() << state.broken << ": " << state.key();
        return 0;
      }
      if (seen.insert(state.key()).second) open.push_back(std::move(state));
    }
  }
  std::printf("%zu states\n", seen.size());
  return seen.size();
}

/// Threads that are moult::Threads; with `threads` named they may be others.
Model with_walkers(std::size_t count, int rounds) {
  Model model;
  for (std::size_t i = 0; i < count; ++i) {
    model.walkers.push_back({.rounds = rounds});
    model.registry.add_thread(thread_number(i));
  }
  return model;
}

TEST(PointProtocol, ThreadsThatAreWaitedForStayAndGoOn) {
  Model model = with_walkers(3, 2);
  model.keepers = {{}};
  EXPECT_GT(explore(model), 1000u);
}

TEST(PointProtocol, AnUpdateThatGivesUpLetsAllGo) {
  Model model = with_walkers(3, 2);
  model.keepers = {{.gives_up = true}};
  EXPECT_GT(explore(model), 1000u);
}

TEST(PointProtocol, TwoUpdatesWaitForTheSameThreads) {
  Model model = with_walkers(2, 3);
  model.keepers = {{.gives_up = true}, {.gives_up = true}};
  EXPECT_GT(explore(model), 1000u);
}

TEST(PointProtocol, AThreadThatBeginsMeanwhileReachesAPointOrWaitsBeforeItsMain) {
  Model model = with_walkers(2, 1);
  model.walkers.push_back({.next = Next::unborn, .rounds = 1, .is_starting = true});
  model.keepers = {{}};
  EXPECT_GT(explore(model), 1000u);
}

TEST(PointProtocol, AnActiveThreadCarriesTheUpdateOutAndGoesOn) {
  Model model = with_walkers(2, 2);
  model.walkers[1].is_active = true;
  model.keepers = {{.calls = true}, {.gives_up = true}};
  EXPECT_GT(explore(model), 1000u);
}

TEST(PointProtocol, AWaitThatIsForgottenKeepsNobody) {
  Model model = with_walkers(2, 2);
  model.expires = true;
  model.keepers = {{.gives_up = true}, {.gives_up = true}};
  EXPECT_GT(explore(model), 1000u);
}

class PointRegistryTest : public testing::Test {
 protected:
  static Seated at(std::string_view point, std::size_t thread = 0) {
    return {thread_number(thread), point, false, false, seat_number(thread)};
  }
  void begin(std::vector<std::string> points, std::vector<ThreadId> threads) {
    board_.begin({.owner = this, .points = std::move(points), .threads = std::move(threads)});
  }

  PointRegistry board_;
};

TEST_F(PointRegistryTest, AThreadThatNobodyNamedPasses) {
  begin({}, {thread_number(1)});
  EXPECT_FALSE(board_.arrive(at("top", 0)));
  EXPECT_TRUE(board_.arrive(at("top", 1)));
}

TEST_F(PointRegistryTest, AThreadPassesPointsThatAreNotNamed) {
  begin({"top", "bottom"}, {thread_number(0)});
  EXPECT_FALSE(board_.arrive(at("middle")));
  EXPECT_TRUE(board_.arrive(at("bottom")));
}

TEST_F(PointRegistryTest, AThreadAtAPointOfAnotherUpdateHasNotReachedThisOnes) {
  begin({"top"}, {thread_number(0)});
  const int other = 0;
  board_.begin({.owner = &other, .points = {"bottom"}, .threads = {thread_number(0)}});
  ASSERT_TRUE(board_.arrive(at("bottom")));
  EXPECT_FALSE(board_.is_reached(*board_.find(this)));
  EXPECT_THAT(board_.missing(*board_.find(this)), testing::ElementsAre(thread_number(0)));
  EXPECT_TRUE(board_.is_reached(*board_.find(&other)));
}

TEST_F(PointRegistryTest, WithoutNamesEveryThreadOfMoultsIsMeantButTheOneThatCarriesTheUpdateOut) {
  board_.add_thread(thread_number(0));
  board_.add_thread(thread_number(1));
  board_.begin({.owner = this, .points = {}, .threads = {}, .driver = thread_number(1)});
  EXPECT_FALSE(board_.arrive(at("top", 1)));
  EXPECT_FALSE(board_.is_reached(*board_.find(this)));
  EXPECT_TRUE(board_.arrive(at("top", 0)));
  EXPECT_TRUE(board_.is_reached(*board_.find(this)));
}

TEST_F(PointRegistryTest, AThreadOfMoultsThatEndsIsNotWaitedFor) {
  board_.add_thread(thread_number(0));
  board_.add_thread(thread_number(1));
  begin({}, {});
  ASSERT_TRUE(board_.arrive(at("top", 1)));
  EXPECT_FALSE(board_.is_reached(*board_.find(this)));
  board_.remove_thread(thread_number(0));
  EXPECT_TRUE(board_.is_reached(*board_.find(this)));
}

TEST_F(PointRegistryTest, AWaitIsDesertedAndNotReachedWhenAllThreadsOfMoultsHaveEnded) {
  board_.add_thread(thread_number(0));
  begin({"misspelt"}, {});
  EXPECT_FALSE(board_.is_deserted(*board_.find(this)));
  board_.remove_thread(thread_number(0));
  EXPECT_FALSE(board_.is_reached(*board_.find(this)));
  EXPECT_TRUE(board_.is_deserted(*board_.find(this)));
}

}  // namespace
}  // namespace moult::internal
