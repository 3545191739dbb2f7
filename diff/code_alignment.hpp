// Code that differs from the object's only in the length of its jumps.
//
// Problem: in a program built without -ffunction-sections the functions of a source share a section, and the assembler
// makes a jump to a static function nearby (a last call) two bytes long. The fresh object has each function in a
// section of its own, where the jump takes five bytes, or six with a condition. The assembler also leaves a jump inside
// of a function long that has become short enough on the way, which depends on the code before the function. What is
// behind such a jump moves, and so do the other jumps and the padding before loops.
//
// Approach: the two are walked side by side, instruction by instruction. Between jumps and nops the code must have the
// same layout.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace moult::internal::diff {

/// Code of one layout: [begin, end) in the object, from `linked` on in the program.
struct Stretch {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t linked = 0;
};

/// A jump or call by distance. All numbers count from the function's beginning, in the object and in the program.
struct Jump {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t target = 0;  ///< without relocation
  std::uint64_t linked_target = 0;
};

/// Where an instruction is in the program: at `end`, behind padding that begins at `begin`.
struct LinkedPlace {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct CodeAlignment {
  std::vector<Stretch> stretches;
  std::vector<Jump> jumps;
  std::map<std::uint64_t, LinkedPlace> places;  ///< of each instruction of the object, and of the end
};

/// Nothing if the code differs otherwise. `is_relocated(begin, end)` tells whether the linker writes to these bytes of
/// the object.
std::optional<CodeAlignment> align_code(std::span<const std::uint8_t> object, std::span<const std::uint8_t> linked,
                                        const std::function<bool(std::uint64_t, std::uint64_t)>& is_relocated);

}  // namespace moult::internal::diff
