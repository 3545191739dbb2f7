// One relocated field of an object as the linker wrote it, with the linker's simplifications ("relaxations") undone.
//
// An instruction that loads a variable's address from the GOT becomes one that computes it, if the variable turns out
// to be near; an access to a thread-local variable loses its call of __tls_get_addr; and so on. Such bytes differ from
// the object's without any edit. The x86-64 psABI (chapter "Linker Optimization" and the appendix on thread-local
// storage) lists the forms; these are those that GNU ld, gold and lld write.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "diff/linked_file.hpp"
#include "diff/object_file.hpp"

namespace moult::internal::diff {

/// The bytes [begin, end) around the field hold what the linker wrote, so they are not compared. Offsets are those of
/// the piece.
struct LinkedField {
  enum class Form {
    read,       ///< `destination` is what the relocation's symbol has become
    settled,    ///< the bytes are as they must be, and refer to nothing of the program
    different,  ///< no linker makes these bytes of the object's
    unknown,    ///< moult does not know the kind of relocation: `reason`
  };
  Form form = Form::different;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Destination destination{};
  std::string reason{};
};

/// A piece in the object and in the program; both have the same size.
struct PlacedPiece {
  std::span<const std::uint8_t> object;
  std::span<const std::uint8_t> linked;
  std::uint64_t address = 0;  ///< in the program
};

/// `offset` is the field's in the piece; the field lies inside of it.
LinkedField read_field(const Relocation& relocation, std::uint64_t offset, const PlacedPiece& piece,
                       const LinkedFile& program);

/// The number of bytes of the relocation's field; 0 for a kind that moult does not know.
std::uint64_t field_size(std::uint32_t relocation_type) noexcept;

}  // namespace moult::internal::diff
