// Waits between converting threads: a slab is mapped early exactly where its converter waits for the faulting thread.
#include "convert/wait_for_graph.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <thread>
#include <vector>

#include "platform/memory.hpp"
#include "platform/reserved_memory.hpp"
#include "platform/tasks.hpp"

namespace moult::internal {
namespace {

/// Three slabs of one page. Another thread, `other`, converts slab 1.
class WaitForGraphTest : public testing::Test {
 protected:
  WaitForGraphTest() : slots(reserve(3 * page_size(), 4 * page_size())), bytes(page_size(), std::byte{9}) {
    commit(slots, 3 * page_size());
    pages.watch(slots, 3 * page_size());
    thread = std::jthread([this] {
      HeldSlab held(graph, Manner::in_place);
      held.hold(slab(1), page_size(), bytes.data());
      other = own_task();
      holds.count_down();
      end.wait();
      is_mapped = held.is_mapped();
    });
    holds.wait();
  }
  ~WaitForGraphTest() override {
    finish();
    pages.unwatch(slots, 3 * page_size());
    unreserve(slots, 3 * page_size());
  }

  std::byte* slab(std::size_t number) const { return slots + number * page_size(); }
  void finish() {
    if (thread.joinable()) end.count_down(), thread.join();
  }
  bool other_is_mapped() {
    finish();
    return is_mapped;
  }

  std::byte* slots;
  std::vector<std::byte> bytes;
  Userfaultfd pages;
  WaitForGraph graph{pages};
  pid_t other = 0;
  bool is_mapped = false;
  std::latch holds{1};
  std::latch end{1};
  std::jthread thread;
};

TEST_F(WaitForGraphTest, AThreadThatFaultsInItsOwnSlabHasItMapped) {
  HeldSlab held(graph, Manner::evacuated);
  held.hold(slab(0), page_size(), bytes.data());
  graph.break_cycle({slab(0) + 8, own_task()});
  EXPECT_TRUE(held.is_mapped());
  EXPECT_EQ(*slab(0), std::byte{9});
  EXPECT_TRUE(held.release());
}

TEST_F(WaitForGraphTest, AConverterThatWaitsForNothingIsNotDisturbed) {
  HeldSlab held(graph, Manner::evacuated);
  held.hold(slab(0), page_size(), bytes.data());
  graph.break_cycle({slab(1), own_task()});
  EXPECT_FALSE(other_is_mapped());
  EXPECT_FALSE(held.release());
}

TEST_F(WaitForGraphTest, ACycleOfTwoThreadsIsBrokenAtTheFaultThatClosesIt) {
  HeldSlab held(graph, Manner::evacuated);
  held.hold(slab(0), page_size(), bytes.data());
  EXPECT_TRUE(graph.note_wait({slab(0), other}));
  EXPECT_TRUE(graph.note_wait({slab(1), own_task()}));
  graph.break_cycle({slab(1), own_task()});
  EXPECT_FALSE(held.is_mapped());
  EXPECT_TRUE(other_is_mapped());
  EXPECT_EQ(*slab(1), std::byte{9});
}

TEST_F(WaitForGraphTest, AWaitForAThirdSlabIsNoCycle) {
  HeldSlab held(graph, Manner::evacuated);
  held.hold(slab(0), page_size(), bytes.data());
  graph.note_wait({slab(2), other});
  graph.break_cycle({slab(1), own_task()});
  EXPECT_FALSE(other_is_mapped());
}

TEST_F(WaitForGraphTest, AReleasedSlabIsNotMapped) {
  HeldSlab held(graph, Manner::evacuated);
  held.hold(slab(0), page_size(), bytes.data());
  EXPECT_FALSE(held.release());
  graph.break_cycle({slab(0), own_task()});
  EXPECT_FALSE(held.is_mapped());
}

TEST_F(WaitForGraphTest, OnlyConvertingThreadsAreInTheGraph) {
  EXPECT_FALSE(graph.note_wait({slab(1), own_task()}));
  EXPECT_TRUE(graph.is_converting_in_place(other));
  EXPECT_FALSE(graph.is_converting_in_place(own_task()));
  const HeldSlab held(graph, Manner::evacuated);
  EXPECT_FALSE(graph.is_converting_in_place(own_task()));
  EXPECT_TRUE(graph.note_wait({slab(1), own_task()}));
}

}  // namespace
}  // namespace moult::internal
