#include "code/way_out.hpp"

#include <gtest/gtest.h>

asm(R"(
.pushsection .text
  .globl way_out_loops, way_out_returns, way_out_jumps, way_out_computes, way_out_calls, way_out_parts, way_out_end
way_out_loops:
  nop
  jmp way_out_loops
way_out_returns:
  nop
  ret
way_out_jumps:
  jmp way_out_returns
way_out_computes:
  jmp *%rax
way_out_calls:
  call way_out_returns
  jmp way_out_calls
way_out_parts:
  jmp way_out_calls
way_out_end:
.popsection
)");
extern "C" const char way_out_loops[], way_out_returns[], way_out_jumps[], way_out_computes[], way_out_calls[],
    way_out_parts[], way_out_end[];

namespace moult::internal {
namespace {

CodeRange between(const char* begin, const char* end) {
  return {CodeAddress{reinterpret_cast<std::uintptr_t>(begin)}, CodeAddress{reinterpret_cast<std::uintptr_t>(end)}};
}

bool may_return(CodeRange range) { return internal::may_return({&range, 1}); }

TEST(WayOut, ALoopWithoutAReturnHasNone) {
  EXPECT_FALSE(may_return(between(way_out_loops, way_out_returns)));
  EXPECT_FALSE(may_return(between(way_out_calls, way_out_parts)));
}

TEST(WayOut, AReturnAJumpToAnotherFunctionAndAComputedJumpAreWaysOut) {
  EXPECT_TRUE(may_return(between(way_out_returns, way_out_jumps)));
  EXPECT_TRUE(may_return(between(way_out_jumps, way_out_computes)));
  EXPECT_TRUE(may_return(between(way_out_computes, way_out_calls)));
}

TEST(WayOut, AJumpToAnotherPartOfTheFunctionIsNone) {
  const CodeRange parts[] = {between(way_out_calls, way_out_parts), between(way_out_parts, way_out_end)};
  EXPECT_TRUE(may_return(parts[1]));
  EXPECT_FALSE(internal::may_return(parts));
}

}  // namespace
}  // namespace moult::internal
