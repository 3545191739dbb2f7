// A walk over a heap with pending objects. Outside of moult's namespace, whose classes the walk skips.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "moult/heap_walker.hpp"
#include "moult/lazy_update.hpp"
#include "moult/log.hpp"

namespace subject {

struct Leaf : moult::Updatable<Leaf, 48> {
  explicit Leaf(int wanted) : number(wanted) {}
  int number;
};
struct LeafTwo {
  int number;
  int twice;
};

std::vector<std::unique_ptr<Leaf>> leaves;

struct LeafCounter final : moult::HeapWalker {
  LeafCounter() {
    on<Leaf>([this](Leaf& leaf) {
      if (reinterpret_cast<LeafTwo&>(leaf).twice == 2 * leaf.number) ++converted;
    });
  }
  std::size_t converted = 0;
};

class LazyWalk : public testing::Test {
 protected:
  LazyWalk() {
    moult::set_log_level(moult::LogLevel::none);
    for (int i = 0; i < 5000; ++i) leaves.push_back(std::make_unique<Leaf>(i + 1));
    objects = moult::start_lazy_update<Leaf, LeafTwo>([](const Leaf& old) -> LeafTwo {
      return {old.number, 2 * old.number};
    });
  }
  ~LazyWalk() override {
    moult::start_eager_update<LeafTwo, Leaf>([](const LeafTwo& now) { return Leaf(now.number); });
    leaves.clear();
  }

  void expect_all_visited(const LeafCounter& walker, const moult::HeapSummary& summary) {
    EXPECT_EQ(summary.visited, leaves.size()) << summary.text();
    EXPECT_EQ(walker.converted, leaves.size()) << "by the name of the class that the pointers to them have";
    EXPECT_TRUE(objects.progress().is_done);
  }

  moult::LazyObjects objects;
};

TEST_F(LazyWalk, AWalkFindsAllObjectsConverted) {
  LeafCounter walker;
  expect_all_visited(walker, moult::traverse_heap(walker));
}

TEST_F(LazyWalk, AWalkFinishesAConversionThatHasBegun) {
  EXPECT_EQ(leaves[7]->number, 8);
  LeafCounter walker;
  expect_all_visited(walker, moult::traverse_heap(walker));
}

}  // namespace subject
