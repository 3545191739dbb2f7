#include "functions/known_bodies.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdint>

#include "symbols/program.hpp"

extern "C" {
alignas(4096) extern char known_bodies_page[4096];
alignas(4096) char known_bodies_page[4096] = {};
extern const char known_bodies_jump[];
}

// Jumps through a pointer in the page.
asm(R"(
  .pushsection .text
  .type known_bodies_jump, @function
known_bodies_jump:
  .cfi_startproc
  jmp *known_bodies_page(%rip)
  .cfi_endproc
  .size known_bodies_jump, . - known_bodies_jump
  .popsection
)");

namespace moult::internal {
namespace {

TEST(KnownBodies, ASlotThatCannotBeReadLeadsToNoKnownFunction) {
  ASSERT_EQ(::mprotect(known_bodies_page, sizeof known_bodies_page, PROT_NONE), 0);
  const Program program = Program::of_this_process();
  KnownBodies bodies(program);
  const RegisterReads reads = bodies.arguments_of(CodeAddress{reinterpret_cast<std::uintptr_t>(known_bodies_jump)});
  EXPECT_EQ(reads.possible & general_register(rdi), general_register(rdi)) << "any function may be there";
  ::mprotect(known_bodies_page, sizeof known_bodies_page, PROT_READ | PROT_WRITE);
}

}  // namespace
}  // namespace moult::internal
