#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "code/decoder.hpp"

namespace moult::internal {
namespace {

RegisterUse use_of(const std::vector<std::uint8_t>& bytes) { return register_use_of(bytes).value(); }

constexpr RegisterSet rax_bit = general_register(rax);
constexpr RegisterSet rdx_bit = general_register(rdx);
constexpr RegisterSet rdi_bit = general_register(internal::rdi);

TEST(RegisterUse, OfACopyIsOneRegisterReadAndOneOverwritten) {
  const RegisterUse use = use_of({0x89, 0xf8});  // mov eax, edi
  EXPECT_EQ(use.read, rdi_bit);
  EXPECT_EQ(use.written, rax_bit);
  EXPECT_EQ(use.overwritten, rax_bit);
  EXPECT_EQ(use.copied, internal::rdi);
  EXPECT_EQ(use_of({0x01, 0xf8}).copied, std::nullopt);  // add eax, edi
}

TEST(RegisterUse, OfAPartLeavesTheRest) {
  const RegisterUse use = use_of({0xb0, 0x07});  // mov al, 7
  EXPECT_EQ(use.written, rax_bit);
  EXPECT_EQ(use.overwritten, 0u);
  EXPECT_EQ(use.constant, 7u);
}

TEST(RegisterUse, OfAClearReadsNothing) {
  EXPECT_EQ(use_of({0x31, 0xc0}).read, 0u);  // xor eax, eax
  EXPECT_EQ(use_of({0x31, 0xc0}).constant, 0u);
  EXPECT_EQ(use_of({0x31, 0xf8}).read, rax_bit | rdi_bit);  // xor eax, edi
  EXPECT_EQ(use_of({0x66, 0x0f, 0xef, 0xc0}).read, 0u);     // pxor xmm0, xmm0
  EXPECT_EQ(use_of({0x66, 0x0f, 0xef, 0xc0}).overwritten, vector_register(0));
}

TEST(RegisterUse, OfAnAddressReadsItsRegisters) {
  const RegisterUse use = use_of({0x8d, 0x04, 0x57});  // lea eax, [rdi + rdx*2]
  EXPECT_EQ(use.read, rdi_bit | rdx_bit);
  EXPECT_EQ(use.memory_read, MemoryUse::none);
}

TEST(RegisterUse, TellsTheStackFromOtherMemory) {
  EXPECT_EQ(use_of({0x89, 0x44, 0x24, 0x08}).memory_written, MemoryUse::stack);  // mov [rsp + 8], eax
  EXPECT_EQ(use_of({0x89, 0x45, 0xfc}).memory_written, MemoryUse::frame);        // mov [rbp - 4], eax
  EXPECT_EQ(use_of({0x89, 0x07}).memory_written, MemoryUse::elsewhere);          // mov [rdi], eax
  EXPECT_EQ(use_of({0x8b, 0x07}).memory_read, MemoryUse::elsewhere);             // mov eax, [rdi]
  EXPECT_EQ(use_of({0x53}).memory_written, MemoryUse::stack);                    // push rbx
}

TEST(RegisterUse, OfAConditionalCopyKeepsTheOldValue) {
  const RegisterUse use = use_of({0x0f, 0x44, 0xc7});  // cmove eax, edi
  EXPECT_EQ(use.read & rdi_bit, rdi_bit);
  EXPECT_EQ(use.written, rax_bit);
  EXPECT_TRUE(use.overwritten == 0 || (use.read & rax_bit) != 0);
}

TEST(RegisterUse, OfASystemCallReadsItsArguments) {
  const RegisterUse use = use_of({0x0f, 0x05});
  EXPECT_TRUE(use.is_special);
  EXPECT_EQ(use.read & rdi_bit, rdi_bit);
}

TEST(RegisterUse, OfAPartOfAVectorRegisterLeavesTheRest) {
  EXPECT_EQ(use_of({0x0f, 0x16, 0x07}).overwritten, 0u);                                     // movhps xmm0, [rdi]
  EXPECT_EQ(use_of({0xf2, 0x0f, 0x2a, 0xc7}).overwritten, 0u);                               // cvtsi2sd xmm0, edi
  EXPECT_EQ(use_of({0xf2, 0x0f, 0x10, 0x07}).overwritten, vector_register(0));               // movsd xmm0, [rdi]
  EXPECT_EQ(use_of({0xf2, 0x0f, 0x10, 0xc1}).overwritten, 0u);                               // movsd xmm0, xmm1
  EXPECT_EQ(use_of({0xc5, 0xf8, 0x77}).written & vector_register(15), vector_register(15));  // vzeroupper
}

TEST(RegisterUse, OfAPushReadsTheAddress) {
  EXPECT_EQ(use_of({0xff, 0x70, 0x08}).read & rax_bit, rax_bit);  // push [rax + 8]
  EXPECT_EQ(use_of({0x50}).read & rax_bit, 0u);                   // push rax, to move the stack
}

TEST(RegisterUse, OfAllOnesIsAConstant) {
  const RegisterUse use = use_of({0x83, 0xc8, 0xff});  // or eax, -1
  EXPECT_EQ(use.constant, ~std::uint64_t{0});
  EXPECT_EQ(use.overwritten, rax_bit);
}

TEST(RegisterUse, NamesTheLowestRegister) {
  EXPECT_EQ(first_name_of(general_register(rcx) | vector_register(3)), "rcx");
  EXPECT_EQ(first_name_of(vector_register(12)), "xmm12");
}

}  // namespace
}  // namespace moult::internal
