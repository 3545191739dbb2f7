// Where functions begin and end by the unwind table: the only thing left of them in a stripped program.
#pragma once

#include <cstdint>
#include <optional>

#include "elf/elf_file.hpp"

namespace moult::internal {

/// The range of the entry of .eh_frame that covers `address`; both are addresses of the file. Nothing when there is no
/// .eh_frame_hdr, or one in an encoding that no linker for x86-64 writes.
std::optional<CodeRange> unwind_range(const ElfFile& file, std::uint64_t address);

}  // namespace moult::internal
