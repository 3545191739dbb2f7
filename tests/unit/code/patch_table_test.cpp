#include "code/patch_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

#include "base/fault.hpp"
#include "moult/error.hpp"

// Functions that return their own number. They are called through pointers only, so that no compiler looks at their
// bodies.
asm(R"(
.macro answers name, number
  .balign 16, 0xcc
  .globl \name
  \name:
  mov $\number, %eax
  ret
.endm
.pushsection .text
answers registry_old, 1
answers registry_other, 2
answers registry_third, 3
  .balign 16, 0xcc
  .globl registry_endbr64
registry_endbr64:
  endbr64
  mov $4, %eax
  ret
  .balign 16, 0xcc
.popsection
)");
extern "C" {
int registry_old();
int registry_other();
int registry_third();
int registry_endbr64();
}

namespace moult::internal {
namespace {

using testing::HasSubstr;
using Answer = int (*)();

CodeAddress address(Answer function) { return CodeAddress{reinterpret_cast<std::uintptr_t>(function)}; }

int call(Answer function) {
  Answer volatile pointer = function;
  return pointer();
}

std::vector<std::uint8_t> bytes_of(Answer function) {
  const std::uint8_t* begin = reinterpret_cast<const std::uint8_t*>(function);
  return {begin, begin + 16};
}

/// A function that answers `number`, farther away than a direct jump reaches.
class FarFunction final {
 public:
  explicit FarFunction(std::uint8_t number) {
    void* hint = reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(&registry_old) ^ (std::uintptr_t{1} << 40));
    page_ = ::mmap(hint, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page_ == MAP_FAILED) throw std::bad_alloc();
    std::memcpy(page_, bytes_of(&registry_old).data(), 16);
    static_cast<std::uint8_t*>(page_)[1] = number;
    ::mprotect(page_, 4096, PROT_READ | PROT_EXEC);
  }
  ~FarFunction() { ::munmap(page_, 4096); }
  FarFunction(const FarFunction&) = delete;
  FarFunction& operator=(const FarFunction&) = delete;

  Answer get() const { return reinterpret_cast<Answer>(page_); }

 private:
  void* page_;
};

/// The steps of a change without the stop: there is one thread.
class RegistryTest : public testing::Test {
 protected:
  Redirection& add(Answer function, Answer replacement, std::size_t room = 16) {
    std::vector<std::uint8_t> original = known_.original_bytes({address(function), address(function) + 16});
    std::size_t skipped = function == &registry_endbr64 ? 4 : 0;
    EntryPlan plan{address(function) + skipped, room - skipped, false};
    return known_.add("f", address(function), plan, std::span(original).subspan(skipped), address(replacement));
  }

  void commit(Redirection& redirection) {
    known_.slots().seal();
    std::vector<CodeRange> place = {redirection.entry->overwritten()};
    std::vector<std::uintptr_t> opened = known_.pages().open(place);
    apply_redirection(redirection);
    known_.pages().close(opened);
  }

  void revert(Redirection& redirection) {
    std::vector<CodeRange> place = {redirection.entry->overwritten()};
    std::vector<std::uintptr_t> opened = known_.pages().open(place);
    revert_redirection(redirection);
    known_.pages().close(opened);
    known_.remove(redirection);
  }

  PatchTable known_{address_space(), {}};
};

TEST_F(RegistryTest, ANearFunctionIsReachedByOneDirectJump) {
  std::vector<std::uint8_t> before = bytes_of(&registry_old);
  Redirection& redirection = add(&registry_old, &registry_other);
  EXPECT_EQ(redirection.jump[0], 0xE9);
  EXPECT_EQ(known_.slots().slots_in_use(), 0u);
  EXPECT_EQ(call(&registry_old), 1) << "nothing changes before the commit";
  commit(redirection);
  EXPECT_EQ(call(&registry_old), 2);
  revert(redirection);
  EXPECT_EQ(call(&registry_old), 1);
  EXPECT_EQ(bytes_of(&registry_old), before);
}

TEST_F(RegistryTest, AFarFunctionIsReachedThroughASlot) {
  FarFunction far(42);
  std::vector<std::uint8_t> before = bytes_of(&registry_old);
  Redirection& redirection = add(&registry_old, far.get());
  EXPECT_EQ(redirection.jump[0], 0xFF);
  commit(redirection);
  EXPECT_EQ(call(&registry_old), 42);
  revert(redirection);
  EXPECT_EQ(bytes_of(&registry_old), before);
  EXPECT_EQ(known_.slots().slots_in_use(), 0u);
}

TEST_F(RegistryTest, WithRoomForFiveBytesAFarFunctionIsReachedThroughTheSlotsJump) {
  FarFunction far(42);
  std::vector<std::uint8_t> before = bytes_of(&registry_old);
  Redirection& redirection = add(&registry_old, far.get(), 5);
  EXPECT_EQ(redirection.jump[0], 0xE9);
  commit(redirection);
  EXPECT_EQ(call(&registry_old), 42);
  EXPECT_EQ(bytes_of(&registry_old)[5], before[5]);
  revert(redirection);
  EXPECT_EQ(bytes_of(&registry_old), before);
  EXPECT_EQ(known_.slots().slots_in_use(), 1u) << "a thread may be in it";
}

TEST_F(RegistryTest, TheEndbr64Stays) {
  std::vector<std::uint8_t> before = bytes_of(&registry_endbr64);
  Redirection& redirection = add(&registry_endbr64, &registry_other);
  commit(redirection);
  EXPECT_EQ(call(&registry_endbr64), 2);
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + 4, bytes_of(&registry_endbr64).begin()));
  revert(redirection);
  EXPECT_EQ(bytes_of(&registry_endbr64), before);
}

TEST_F(RegistryTest, TheNewestCommittedWins) {
  FarFunction far(42);
  Redirection& first = add(&registry_old, &registry_other);
  Redirection& second = add(&registry_old, far.get());
  commit(second);
  commit(first);
  EXPECT_EQ(call(&registry_old), 2);
  revert(first);
  EXPECT_EQ(call(&registry_old), 42);
  revert(second);
  EXPECT_EQ(call(&registry_old), 1);
}

TEST_F(RegistryTest, RevertingAnOlderOneLeavesTheNewestActive) {
  std::vector<std::uint8_t> before = bytes_of(&registry_old);
  FarFunction far(42);
  Redirection& first = add(&registry_old, far.get());
  commit(first);
  Redirection& second = add(&registry_old, &registry_other);
  commit(second);
  revert(first);
  EXPECT_EQ(call(&registry_old), 2);
  revert(second);
  EXPECT_EQ(bytes_of(&registry_old), before);
  EXPECT_EQ(known_.entries(), 0u);
}

TEST_F(RegistryTest, AReplacementMayBeReplaced) {
  Redirection& first = add(&registry_old, &registry_other);
  commit(first);
  Redirection& second = add(&registry_other, &registry_third);
  commit(second);
  EXPECT_EQ(call(&registry_old), 3);
  EXPECT_EQ(call(&registry_other), 3);
  revert(second);
  EXPECT_EQ(call(&registry_old), 2);
  revert(first);
  EXPECT_EQ(call(&registry_old), 1);
}

TEST_F(RegistryTest, OriginalBytesAreKnownWhateverIsApplied) {
  std::vector<std::uint8_t> before = bytes_of(&registry_endbr64);
  Redirection& redirection = add(&registry_endbr64, &registry_other);
  commit(redirection);
  EXPECT_NE(bytes_of(&registry_endbr64), before);
  CodeAddress begin = address(&registry_endbr64);
  EXPECT_EQ(known_.original_bytes({begin, begin + 16}), before);
  EXPECT_EQ(known_.original_bytes({begin + 6, begin + 16}),
            std::vector<std::uint8_t>(before.begin() + 6, before.end()));
  revert(redirection);
}

TEST_F(RegistryTest, ACircleIsRefused) {
  Redirection& first = add(&registry_old, &registry_other);
  Redirection& second = add(&registry_other, &registry_third);
  try {
    add(&registry_third, &registry_old);
    FAIL() << "calls would go round in circles";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.what(), HasSubstr("roll"));
  }
  known_.remove(first);
  Redirection& third = add(&registry_third, &registry_old);
  known_.remove(second);
  known_.remove(third);
  EXPECT_EQ(known_.entries(), 0u);
}

TEST_F(RegistryTest, TwoEntriesDoNotShareBytes) {
  Redirection& redirection = add(&registry_old, &registry_other);
  EntryPlan plan{address(&registry_old) + 3, 6, false};
  std::vector<std::uint8_t> original(6);
  try {
    known_.add("inner", plan.place, plan, original, address(&registry_third));
    FAIL() << "two jumps would overwrite each other";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported_code);
    EXPECT_THAT(error.what(), HasSubstr("inner"));
  }
  known_.remove(redirection);
}

TEST_F(RegistryTest, AFaultAtAnyStepLeavesNoTrace) {
  FarFunction far(42);
  for (const char* point : {"code.registry.add", "code.near_pool.find_region"}) {
    ArmedFault armed(point);
    EXPECT_THROW(add(&registry_old, far.get()), Error);
    EXPECT_TRUE(armed.fired());
    EXPECT_EQ(known_.entries(), 0u);
    EXPECT_EQ(known_.slots().slots_in_use(), 0u);
  }
}

}  // namespace
}  // namespace moult::internal
