#include "code/linkage_stub.hpp"

#include <dlfcn.h>

#include <cstring>
#include <string>

#include "code/decoder.hpp"
#include "platform/mappings.hpp"
#include "platform/x86_64/encodings.hpp"
#include "threads/dynamic_symbols.hpp"

namespace moult::internal {
namespace {

CodeAddress behind_endbr64(CodeAddress code) {
  const std::optional<Instruction> first = decode_at(code);
  return first && first->kind == InstructionKind::endbr64 ? code + first->length : code;
}

}  // namespace

std::optional<std::uintptr_t> slot_of_stub(CodeAddress code) {
  const std::optional<Instruction> jump = decode_at(behind_endbr64(code));
  return jump && jump->kind == InstructionKind::indirect_jump ? jump->pointer : std::nullopt;
}

CodeAddress target_in(std::uintptr_t slot) noexcept {
  CodeAddress target{};
  std::memcpy(&target, reinterpret_cast<const void*>(slot), sizeof target);
  return target;
}

std::optional<std::string_view> unbound_name(CodeAddress target) {
  if (!is_readable(value(target))) return std::nullopt;
  const CodeAddress push = behind_endbr64(target);
  const std::uint8_t* const bytes = reinterpret_cast<const std::uint8_t*>(value(push));
  if (*bytes != x86_64::push_imm32) return std::nullopt;
  std::uint32_t number = 0;
  std::memcpy(&number, bytes + 1, sizeof number);
  return name_in_linkage_table(push, number);
}

std::optional<CodeAddress> destination_of(std::uintptr_t slot) {
  if (!is_readable(slot) || !is_readable(slot + sizeof slot - 1)) return std::nullopt;
  const CodeAddress target = target_in(slot);
  const std::optional<std::string_view> name = unbound_name(target);
  if (!name) return target;
  void* const function = name->empty() ? nullptr : ::dlsym(RTLD_DEFAULT, std::string(*name).c_str());
  if (function == nullptr) return std::nullopt;
  return CodeAddress{reinterpret_cast<std::uintptr_t>(function)};
}

}  // namespace moult::internal
