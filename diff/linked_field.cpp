// A field's value is S + A - P for a place relative to the instruction and S + A for an absolute one, with the symbol's
// address S, the relocation's addend A and the field's own address P. So S can be computed from the linked field. For
// fields that lead to the GOT, S is the address of the entry, and the entry has the symbol's.
//
// Limits: the thread-local accesses of shared libraries (TLSGD and TLSLD that the linker left as they are) and the
// relocations of the medium and large code models are not read. Their functions are unknown, never the same.
#include "diff/linked_field.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>

namespace moult::internal::diff {
namespace {

using Form = LinkedField::Form;
using Kind = Destination::Kind;
using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t rex_w = 0x48;
constexpr std::uint8_t rex_r = 0x04;
constexpr std::uint8_t rex_b = 0x01;

template <class Number>
Number number_at(Bytes bytes, std::uint64_t offset) {
  Number number{};
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

/// The 32-bit field at `offset`, extended with its sign.
std::uint64_t signed_field(Bytes bytes, std::uint64_t offset) {
  return static_cast<std::uint64_t>(std::int64_t{number_at<std::int32_t>(bytes, offset)});
}

bool has_at(Bytes bytes, std::uint64_t offset, std::initializer_list<std::uint8_t> wanted) {
  if (offset > bytes.size() || wanted.size() > bytes.size() - offset) return false;
  return std::ranges::equal(bytes.subspan(offset, wanted.size()), wanted);
}

/// Reads one field. All offsets are those of the piece.
class FieldReader final {
 public:
  FieldReader(const Relocation& relocation, std::uint64_t offset, const PlacedPiece& piece, const LinkedFile& program)
      : relocation_(relocation), at_(offset), piece_(piece), program_(program) {}

  LinkedField read() const;

 private:
  std::uint64_t addend() const { return static_cast<std::uint64_t>(relocation_.addend); }
  /// The address that the 32-bit field at `offset` means, counted from the field's own address.
  std::uint64_t relative(std::uint64_t offset) const {
    return piece_.address + offset + signed_field(piece_.linked, offset);
  }
  bool object_has(std::int64_t from_field, std::initializer_list<std::uint8_t> wanted) const {
    return has_at(piece_.object, at_ + static_cast<std::uint64_t>(from_field), wanted);
  }
  bool linked_has(std::int64_t from_field, std::initializer_list<std::uint8_t> wanted) const {
    return has_at(piece_.linked, at_ + static_cast<std::uint64_t>(from_field), wanted);
  }
  std::uint8_t object_byte(std::int64_t from_field) const {
    return piece_.object[at_ + static_cast<std::uint64_t>(from_field)];
  }
  std::uint8_t linked_byte(std::int64_t from_field) const {
    return piece_.linked[at_ + static_cast<std::uint64_t>(from_field)];
  }
  /// The bytes from `before` bytes before the field to `after` its beginning.
  LinkedField covering(std::uint64_t before, std::uint64_t after, Destination destination) const {
    return {Form::read, at_ - before, at_ + after, destination};
  }
  LinkedField covering(std::uint64_t before, std::uint64_t after, std::optional<Destination> destination) const {
    return destination ? covering(before, after, *destination) : different();
  }
  /// The linker takes the field for the last one of its instruction when it writes another one.
  bool ends_instruction() const { return relocation_.addend == -4; }
  LinkedField different() const { return {Form::different, at_, at_}; }
  LinkedField unknown(const std::string& reason) const { return {Form::unknown, at_, at_, {}, reason}; }
  static Destination address(std::uint64_t value) { return {Kind::address, value}; }
  Destination thread_local_at(std::uint64_t offset, std::uint64_t less) const {
    const auto field = static_cast<std::int64_t>(signed_field(piece_.linked, offset));
    return {Kind::thread_local_offset, program_.offset_in_thread_block(field) - less};
  }

  std::optional<Destination> pointer() const;
  LinkedField got_entry() const;
  LinkedField near_branch() const;
  LinkedField immediate() const;
  bool became_immediate(std::uint8_t opcode, std::uint8_t extension) const;
  LinkedField general_dynamic() const;
  LinkedField local_dynamic() const;
  LinkedField initial_exec() const;

  const Relocation& relocation_;
  std::uint64_t at_;
  const PlacedPiece& piece_;
  const LinkedFile& program_;
};

LinkedField FieldReader::read() const {
  switch (relocation_.type) {
    case R_X86_64_PC32:
    case R_X86_64_PLT32: return covering(0, 4, address(relative(at_) - addend()));
    case R_X86_64_PC64:
      return covering(0, 8, address(piece_.address + at_ + number_at<std::uint64_t>(piece_.linked, at_) - addend()));
    case R_X86_64_32: return covering(0, 4, address(number_at<std::uint32_t>(piece_.linked, at_) - addend()));
    case R_X86_64_32S: return covering(0, 4, address(signed_field(piece_.linked, at_) - addend()));
    case R_X86_64_64: return covering(0, 8, pointer());
    case R_X86_64_GOTPCREL:
    case R_X86_64_GOTPCRELX:
    case R_X86_64_REX_GOTPCRELX: return got_entry();
    case R_X86_64_TPOFF32: return covering(0, 4, thread_local_at(at_, addend()));
    case R_X86_64_DTPOFF32:
      if (program_.is_executable()) return covering(0, 4, thread_local_at(at_, addend()));
      return covering(0, 4, Destination{Kind::thread_local_offset, signed_field(piece_.linked, at_) - addend()});
    case R_X86_64_GOTTPOFF: return initial_exec();
    case R_X86_64_TLSGD: return general_dynamic();
    case R_X86_64_TLSLD: return local_dynamic();
    default: return unknown("its relocation of type " + std::to_string(relocation_.type) + " is not known to moult");
  }
}

std::optional<Destination> FieldReader::pointer() const {
  std::optional<Destination> found = program_.pointer_at(piece_.address + at_);
  if (found) found->value -= addend();
  return found;
}

LinkedField FieldReader::got_entry() const {
  if (at_ < 2) return unknown("a use of the GOT has no instruction");
  if (object_byte(-2) == linked_byte(-2) && object_byte(-1) == linked_byte(-1))
    return covering(0, 4, program_.pointer_at(relative(at_) - addend()));
  if (!ends_instruction()) return different();
  if (object_byte(-2) == 0xFF) return near_branch();
  // mov foo@GOTPCREL(%rip), %r -> lea foo(%rip), %r
  if (object_byte(-2) == 0x8B && linked_byte(-2) == 0x8D && object_byte(-1) == linked_byte(-1))
    return covering(2, 4, address(relative(at_) - addend()));
  return immediate();
}

/// call *foo@GOTPCREL(%rip) -> addr32 call foo, or call foo with a nop behind; jmp likewise. The field of those with a
/// nop behind begins a byte earlier.
LinkedField FieldReader::near_branch() const {
  const bool is_call = object_byte(-1) == 0x15;
  if (!is_call && object_byte(-1) != 0x25) return different();
  if (is_call && linked_has(-2, {0x67, 0xE8})) return covering(2, 4, address(relative(at_) + 4));
  const bool has_nop = linked_byte(-2) == (is_call ? 0xE8 : 0xE9) && linked_byte(3) == 0x90;
  return has_nop ? covering(2, 4, address(relative(at_ - 1) + 4)) : different();
}

/// In programs at fixed addresses: mov foo@GOTPCREL(%rip), %r -> mov $foo, %r; test and arithmetic likewise.
LinkedField FieldReader::immediate() const {
  const std::uint8_t opcode = object_byte(-2);
  const bool is_arithmetic = (opcode & 0xC7) == 0x03;
  const bool is_known = (opcode == 0x8B && became_immediate(0xC7, 0)) ||
                        (opcode == 0x85 && became_immediate(0xF7, 0)) ||
                        (is_arithmetic && became_immediate(0x81, opcode & 0x38));
  if (!is_known) return different();
  const bool has_rex = relocation_.type == R_X86_64_REX_GOTPCRELX;
  return covering(has_rex ? 3 : 2, 4, address(signed_field(piece_.linked, at_)));
}

/// True when the instruction now has `opcode`, and its register as the operand that is written. `extension` is a part
/// of the opcode in the byte of the operands.
bool FieldReader::became_immediate(std::uint8_t opcode, std::uint8_t extension) const {
  const std::uint8_t number = (object_byte(-1) >> 3) & 7;
  if (!linked_has(-2, {opcode, static_cast<std::uint8_t>(0xC0 | extension | number)})) return false;
  const bool has_rex = relocation_.type == R_X86_64_REX_GOTPCRELX || relocation_.type == R_X86_64_GOTTPOFF;
  if (!has_rex) return true;
  if (at_ < 3) return false;
  const std::uint8_t before = object_byte(-3);
  const bool is_high = (before & rex_r) != 0;
  return linked_byte(-3) == static_cast<std::uint8_t>((before & ~(rex_r | rex_b)) | (is_high ? rex_b : 0));
}

/// Sixteen bytes, lea foo@tlsgd(%rip), %rdi and a call of __tls_get_addr -> mov %fs:0, %rax and an addition.
LinkedField FieldReader::general_dynamic() const {
  const bool has_call = object_has(4, {0x66, 0x66, rex_w, 0xE8}) || object_has(4, {0x66, rex_w, 0xFF, 0x15});
  if (at_ < 4 || !ends_instruction() || !object_has(-4, {0x66, rex_w, 0x8D, 0x3D}) || !has_call ||
      at_ + 12 > piece_.object.size())
    return unknown("a thread-local access of no known form");
  const bool reads_thread = linked_has(-4, {0x64, rex_w, 0x8B, 0x04, 0x25, 0, 0, 0, 0});
  if (reads_thread && linked_has(5, {rex_w, 0x8D, 0x80})) return covering(4, 12, thread_local_at(at_ + 8, 0));
  if (reads_thread && linked_has(5, {rex_w, 0x03, 0x05}))
    return covering(4, 12, program_.pointer_at(relative(at_ + 8) + 4));
  if (linked_has(-4, {0x66, rex_w, 0x8D, 0x3D})) return unknown("it uses a thread-local variable of a shared library");
  return different();
}

/// lea foo@tlsld(%rip), %rdi and a call of __tls_get_addr -> mov %fs:0, %rax behind prefixes without effect. A call by
/// way of the GOT is a byte longer.
LinkedField FieldReader::local_dynamic() const {
  const bool is_direct = object_has(4, {0xE8});
  if (at_ < 3 || !ends_instruction() || !object_has(-3, {rex_w, 0x8D, 0x3D}) ||
      !(is_direct || object_has(4, {0xFF, 0x15})))
    return unknown("a thread-local access of no known form");
  if (is_direct && linked_has(-3, {0x66, 0x66, 0x66, 0x64, rex_w, 0x8B, 0x04, 0x25, 0, 0, 0, 0}))
    return {Form::settled, at_ - 3, at_ + 9};
  if (!is_direct && linked_has(-3, {0x66, 0x66, 0x66, 0x66, 0x64, rex_w, 0x8B, 0x04, 0x25, 0, 0, 0, 0}))
    return {Form::settled, at_ - 3, at_ + 10};
  if (linked_has(-3, {rex_w, 0x8D, 0x3D})) return unknown("it uses a thread-local variable of a shared library");
  return different();
}

/// mov foo@gottpoff(%rip), %r -> mov $offset, %r; add likewise, or as lea offset(%r), %r.
LinkedField FieldReader::initial_exec() const {
  if (at_ < 3) return unknown("a thread-local access has no instruction");
  if (object_byte(-2) == linked_byte(-2) && object_byte(-1) == linked_byte(-1))
    return covering(0, 4, program_.pointer_at(relative(at_) - addend()));
  if (!ends_instruction()) return different();
  const std::uint8_t opcode = object_byte(-2);
  const bool is_immediate =
      (opcode == 0x8B && became_immediate(0xC7, 0)) || (opcode == 0x03 && became_immediate(0x81, 0));
  const std::uint8_t number = (object_byte(-1) >> 3) & 7;
  const bool is_high = (object_byte(-3) & rex_r) != 0;
  const bool is_lea = opcode == 0x03 &&
                      linked_has(-2, {0x8D, static_cast<std::uint8_t>(0x80 | number << 3 | number)}) &&
                      linked_byte(-3) == static_cast<std::uint8_t>(object_byte(-3) | (is_high ? rex_b : 0));
  return is_immediate || is_lea ? covering(3, 4, thread_local_at(at_, 0)) : different();
}

}  // namespace

std::uint64_t field_size(std::uint32_t relocation_type) noexcept {
  switch (relocation_type) {
    case R_X86_64_PC32:
    case R_X86_64_PLT32:
    case R_X86_64_32:
    case R_X86_64_32S:
    case R_X86_64_GOTPCREL:
    case R_X86_64_GOTPCRELX:
    case R_X86_64_REX_GOTPCRELX:
    case R_X86_64_TPOFF32:
    case R_X86_64_DTPOFF32:
    case R_X86_64_GOTTPOFF:
    case R_X86_64_TLSGD:
    case R_X86_64_TLSLD: return 4;
    case R_X86_64_PC64:
    case R_X86_64_64: return 8;
    default: return 0;
  }
}

LinkedField read_field(const Relocation& relocation, std::uint64_t offset, const PlacedPiece& piece,
                       const LinkedFile& program) {
  return FieldReader(relocation, offset, piece, program).read();
}

}  // namespace moult::internal::diff
