// Very many objects, converted at their first use while the program goes through all of them. With
// MOULT_SOAK set there are a hundred million, in about 5 GiB.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "moult/lazy_update.hpp"
#include "moult/log.hpp"

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

struct Grain : Updatable<Grain, 16> {
  explicit Grain(std::uint64_t wanted) : number(wanted), twin(~wanted) {}
  std::uint64_t number;
  std::uint64_t twin;
};
struct GrainTwo {
  std::uint64_t number;
  std::uint64_t twin;
  std::uint64_t sum;
  std::uint64_t conversions;
};

GrainTwo to_two(const Grain& old) noexcept { return {old.number, old.twin, old.number + 7, 1}; }

bool is_right(const Grain& grain, std::uint64_t number) noexcept {
  const auto& now = reinterpret_cast<const GrainTwo&>(grain);
  return now.number == number && now.twin == ~number && now.sum == number + 7 && now.conversions == 1;
}

TEST(LazyMany, ThreadsGoThroughAllObjectsWhileAnotherThreadDrains) {
  set_log_level(LogLevel::none);
  const std::size_t count = std::getenv("MOULT_SOAK") != nullptr ? 100'000'000 : 1'000'000;
  std::vector<Grain*> grains(count);
  for (std::size_t i = 0; i < count; ++i) grains[i] = new Grain(i);
  const LazyObjects objects = start_lazy_update<Grain, GrainTwo>(to_two, {}, Untouched::drained);
  std::atomic<std::size_t> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (std::size_t part = 0; part < 4; ++part)
      threads.emplace_back([&, part] {
        for (std::size_t i = part * count / 4; i < (part + 1) * count / 4; ++i)
          if (!is_right(*grains[i], i)) ++wrong;
      });
  }
  objects.drain();
  const LazyProgress progress = objects.progress();
  EXPECT_EQ(wrong, 0u);
  EXPECT_TRUE(progress.is_done);
  EXPECT_EQ(progress.converted_objects, count);
  EXPECT_EQ(progress.failed_objects, 0u);
  for (std::size_t i = 0; i < count; ++i) {
    wrong += is_right(*grains[i], i) ? 0 : 1;
    delete grains[i];
  }
  EXPECT_EQ(wrong, 0u);
}

}  // namespace subject
}  // namespace moult
