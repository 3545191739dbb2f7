// The checksum of an update's file, written after the link and compared before the file is loaded.
#pragma once

#include <cstdint>

#include "elf/file_bytes.hpp"

namespace moult::internal {

/// The content of the note with the checksum. Zeros where nobody has written it yet.
struct ChecksumNote {
  std::uint64_t place = 0;      ///< of the content, in the file
  std::uint64_t file_size = 0;  ///< in bytes
  std::uint32_t checksum = 0;

  static constexpr std::uint64_t size = 12;
  bool is_written() const noexcept { return file_size != 0; }
};

/// The checksum of a file whose note has its content at `place`. Throws Error (unreadable).
std::uint32_t checksum_of(const FileBytes& file, std::uint64_t place);

/// Throws Error (unreadable) unless size and checksum of the file are those of the note.
void require_checksum(const FileBytes& file, const ChecksumNote& note);

}  // namespace moult::internal
