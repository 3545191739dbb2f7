#include "symbols/compilation.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

extern "C" int moult_test_compiled(int x) { return x + 1; }
extern "C" int moult_test_assembly(int);
asm(R"(
  .text
  .globl moult_test_assembly
  .type moult_test_assembly, @function
moult_test_assembly:
  mov %edi, %eax
  ret
  .size moult_test_assembly, .-moult_test_assembly
)");

namespace moult::internal {
namespace {

using Compiler = Compilation::Compiler;

TEST(Compilation, KnowsTheCompilerByItsName) {
  EXPECT_EQ(Compilation("GNU C++17 12.2.0 -g -O2").compiler(), Compiler::gcc);
  EXPECT_EQ(Compilation("GNU GIMPLE 12.2.0 -g -O2").compiler(), Compiler::gcc);
  EXPECT_EQ(Compilation("Debian clang version 14.0.6").compiler(), Compiler::clang);
  EXPECT_EQ(Compilation("GNU AS 2.40").compiler(), Compiler::unknown);
  EXPECT_EQ(Compilation("").compiler(), Compiler::unknown);
}

TEST(Compilation, KnowsTheVersionOfGcc) {
  EXPECT_EQ(Compilation("GNU C++20 14.2.0 -g -O2").gcc_version(), 14);
  EXPECT_EQ(Compilation("GNU GIMPLE 12.2.0 -g -O2").gcc_version(), 12);
  EXPECT_EQ(Compilation("Debian clang version 14.0.6").gcc_version(), 0);
  EXPECT_EQ(Compilation("GNU C++20").gcc_version(), 0);
}

TEST(Compilation, TheLastLevelOfOptimisationCounts) {
  EXPECT_FALSE(Compilation("GNU C17 12.2.0 -g -O2 -O0").optimises());
  EXPECT_TRUE(Compilation("GNU C17 12.2.0 -g -O0 -Os").optimises());
  EXPECT_FALSE(Compilation("GNU C17 12.2.0 -g").optimises());
}

TEST(Compilation, WithoutFlagsItMayHaveOptimised) {
  EXPECT_TRUE(Compilation("Debian clang version 14.0.6").optimises());
}

TEST(Compilation, FlagsRuleOutThatCallersRelyOnBodies) {
  EXPECT_TRUE(Compilation("GNU C++20 12.2.0 -O2 -g").relies_on_bodies("ipa-ra"));
  EXPECT_FALSE(Compilation("GNU C++20 12.2.0 -O2 -fno-ipa-ra").relies_on_bodies("ipa-ra"));
  EXPECT_TRUE(Compilation("GNU C++20 12.2.0 -O2 -fno-ipa-ra").relies_on_bodies("ipa-pure-const"));
  EXPECT_FALSE(Compilation("GNU C++20 12.2.0 -O2 -flive-patching=inline-clone").relies_on_bodies("ipa-ra"));
  EXPECT_FALSE(Compilation("GNU C++20 12.2.0 -g").relies_on_bodies("ipa-ra"));
}

TEST(Compilation, WithLinkTimeOptimisationCallersAreAnywhere) {
  EXPECT_TRUE(Compilation("GNU GIMPLE 12.2.0 -O2").optimises_links());
  EXPECT_TRUE(Compilation("GNU C++20 12.2.0 -O2 -flto=auto").optimises_links());
  EXPECT_FALSE(Compilation("GNU C++20 12.2.0 -O2").optimises_links());
}

TEST(Compilation, OfAssemblyInACompiledFileNoCompilerKnowsTheBody) {
  const Program program = Program::of_this_process();
  const auto of_body = [&program](int (*function)(int)) {
    const std::optional<FunctionSymbol> symbol = program.at(CodeAddress{reinterpret_cast<std::uintptr_t>(function)});
    return symbol ? compilation_of_body(program, *symbol).compiler() : Compiler::unknown;
  };
  EXPECT_NE(of_body(moult_test_compiled), Compiler::unknown);
  EXPECT_EQ(of_body(moult_test_assembly), Compiler::unknown);
}

}  // namespace
}  // namespace moult::internal
