// Where functions begin and end according to the unwind table. In a stripped program nothing else is left of them.
#pragma once

#include <cstdint>
#include <optional>

#include "elf/elf_file.hpp"

namespace moult::internal {

/// The range of the entry of .eh_frame that covers `address`; both are addresses in the file. Nothing if there is no
/// .eh_frame_hdr, or one in an encoding that no linker for x86-64 writes.
std::optional<CodeRange> unwind_range(const ElfFile& file, std::uint64_t address);

}  // namespace moult::internal
