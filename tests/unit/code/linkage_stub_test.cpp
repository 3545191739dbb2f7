// The targets of calls of other modules' functions, before the first call and after it.
#include "code/linkage_stub.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "code/decoder.hpp"

namespace moult::internal {
namespace {

/// Calls nothing else: a sanitizer's calls would come first.
[[gnu::noinline]] __attribute__((no_sanitize("address", "thread", "undefined"))) long call_another_module() {
  return getppid() + 1L;
}

/// The target of the function's first direct call.
CodeAddress first_called(long (*function)()) {
  CodeAddress at{reinterpret_cast<std::uintptr_t>(function)};
  for (std::optional<Instruction> instruction = decode_at(at); instruction; instruction = decode_at(at)) {
    if (instruction->kind == InstructionKind::direct_call) return *instruction->target;
    if (!instruction->goes_on) break;
    at = at + instruction->length;
  }
  return {};
}

TEST(LinkageStub, LeadsToAFunctionOnceItWasCalledAndBeforeThatKnowsItsName) {
  const CodeAddress stub = first_called(call_another_module);
  ASSERT_NE(stub, CodeAddress{});
  const std::optional<std::uintptr_t> slot = slot_of_stub(stub);
  ASSERT_TRUE(slot);
  EXPECT_EQ(unbound_name(target_in(*slot)), "getppid");
  call_another_module();
  EXPECT_EQ(value(target_in(*slot)), reinterpret_cast<std::uintptr_t>(dlsym(RTLD_DEFAULT, "getppid")));
  EXPECT_EQ(unbound_name(target_in(*slot)), std::nullopt);
}

TEST(LinkageStub, IsNoOtherCode) {
  EXPECT_FALSE(slot_of_stub(CodeAddress{reinterpret_cast<std::uintptr_t>(&call_another_module)}));
}

TEST(LinkageStub, ASlotThatLeadsNowhereHasNoName) { EXPECT_EQ(unbound_name(CodeAddress{}), std::nullopt); }

}  // namespace
}  // namespace moult::internal
