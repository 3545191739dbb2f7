// Compares frames with registers to the plain walk, and registers to the values that the test put there.
#include "threads/frame_walk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <semaphore>
#include <thread>

#include "stopping.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {
namespace {

constexpr std::uint64_t mark = 0x1234'5678'9ABC'DEF0;

/// Calls `wait` with a mark in a register that calls preserve, and returns the register's value afterwards.
[[gnu::noinline]] std::uint64_t call_with_mark(std::binary_semaphore& there, std::binary_semaphore& go_on) {
  register std::uint64_t kept asm("r13") = mark;
  asm volatile("" : "+r"(kept));
  there.release();
  asm volatile("" : "+r"(kept));
  go_on.acquire();
  asm volatile("" : "+r"(kept));
  return kept;
}

class Waiting final {
 public:
  Waiting()
      : thread_([this] {
          id_ = this_thread_id();
          result_ = call_with_mark(there_, go_on_);
        }) {
    there_.acquire();
    await_blocked(static_cast<pid_t>(id_));
  }
  ~Waiting() { end(); }
  ThreadId id() const { return id_; }
  std::uint64_t end() {
    if (thread_.joinable()) {
      go_on_.release();
      thread_.join();
    }
    return result_;
  }

 private:
  ThreadId id_{};
  std::uint64_t result_ = 0;
  std::binary_semaphore there_{0};
  std::binary_semaphore go_on_{0};
  std::thread thread_;
};

bool is_in_marked(const FrameState& state) {
  const auto begin = reinterpret_cast<std::uintptr_t>(&call_with_mark);
  std::optional<CodeRange> range = unwind_entry_at(CodeAddress{begin});
  return range && range->contains(state.frame.lookup_address());
}

TEST(FrameWalk, FindsTheFramesOfThePlainWalk) {
  Waiting waiting;
  std::vector<std::uint64_t> plain;
  std::vector<std::uint64_t> walked;
  const std::unique_ptr<StoppedWorld> stopped = stop();
  stopped->walk(waiting.id(), [&](const Frame& frame) { return plain.push_back(value(frame.pc)), true; });
  const WalkEnd end = walk_frames(
      *stopped, waiting.id(), [&](const FrameState& state) { return walked.push_back(value(state.frame.pc)), true; });
  EXPECT_EQ(walked, plain);
  EXPECT_EQ(end, WalkEnd::outermost);
}

TEST(FrameWalk, ARegisterThatCallsPreserveIsFoundWithItsPlace) {
  Waiting waiting;
  std::optional<FrameState> found;
  {
    const std::unique_ptr<StoppedWorld> stopped = stop();
    walk_frames(*stopped, waiting.id(), [&](const FrameState& state) {
      if (is_in_marked(state)) found = state;
      return !found;
    });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->registers[internal::r13], mark);
    const RegisterPlace& place = found->places[internal::r13];
    constexpr std::uint64_t other = 42;
    if (place.kind == RegisterPlace::Kind::stored)
      *reinterpret_cast<std::uint64_t*>(place.address) = other;
    else
      set_register(*stopped->context(waiting.id()), internal::r13, other);
  }
  EXPECT_EQ(waiting.end(), 42u) << "the call that saved it has loaded it from there";
}

TEST(FrameWalk, RegistersThatACallMayOverwriteAreLost) {
  Waiting waiting;
  const std::unique_ptr<StoppedWorld> stopped = stop();
  walk_frames(*stopped, waiting.id(), [&](const FrameState& state) {
    for (const std::size_t number : {rax, rdi, r8, r11}) EXPECT_EQ(state.holds(number), !state.frame.is_return_address);
    return true;
  });
}

TEST(FrameWalk, ACopyOfAStackHasItsContent) {
  Waiting waiting;
  StackCopy copy;
  {
    const std::unique_ptr<StoppedWorld> stopped = stop();
    copy = StackCopy::of(*stopped, waiting.id(), 100);
  }
  waiting.end();
  EXPECT_TRUE(copy.is_whole());
  ASSERT_GT(copy.frames().size(), 2u);
  std::uint64_t word = 0;
  const std::span<std::byte> bytes = std::as_writable_bytes(std::span<std::uint64_t, 1>(&word, 1));
  EXPECT_TRUE(copy.read(copy.frames()[1].cfa - 8, bytes));
  EXPECT_EQ(word, value(copy.frames()[2].frame.pc)) << "the return address";
  EXPECT_FALSE(copy.read(reinterpret_cast<std::uintptr_t>(&word), bytes)) << "another stack";
}

TEST(FrameWalk, VisitsNothingOfAThreadThatIsNotStopped) {
  const std::unique_ptr<StoppedWorld> stopped = stop();
  EXPECT_EQ(walk_frames(*stopped, ThreadId{1},
                        [](const FrameState&) {
                          ADD_FAILURE();
                          return true;
                        }),
            WalkEnd::lost);
}

}  // namespace
}  // namespace moult::internal
