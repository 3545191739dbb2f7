// .eh_frame_hdr is a sorted table of pairs, relative to the section itself: a function's beginning and its entry in
// .eh_frame. The entry gives the function's length. Format: Linux Standard Base, core, "Exception Frames". libdw would
// give only the row for an address, which ends at the next push.
#include "unwind/unwind_range.hpp"

#include <gelf.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace moult::internal {
namespace {

constexpr std::uint8_t signed_4_bytes = 0x0b;
constexpr std::uint8_t unsigned_4_bytes = 0x03;
constexpr std::uint8_t relative_to_place = 0x10;
constexpr std::uint8_t relative_to_table = 0x30;
constexpr std::uint8_t format_bits = 0x0f;

/// A section's bytes and their address when loaded.
struct Section {
  std::string_view bytes;
  std::uint64_t address = 0;

  template <class T>
  std::optional<T> read(std::uint64_t offset) const {
    if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) return std::nullopt;
    T found{};
    std::memcpy(&found, bytes.data() + offset, sizeof found);
    return found;
  }
};

std::optional<Section> section_of(const ElfFile& file, const char* name) {
  Elf_Scn* section = file.section(name);
  const Elf_Data* data = file.data(section);
  GElf_Shdr header{};
  if (data == nullptr || gelf_getshdr(section, &header) == nullptr) return std::nullopt;
  return Section{{static_cast<const char*>(data->d_buf), data->d_size}, header.sh_addr};
}

struct [[gnu::packed]] TableRow {
  std::int32_t function = 0;
  std::int32_t entry = 0;
};

struct [[gnu::packed]] TableHeader {
  std::uint8_t version = 0;
  std::uint8_t frame_encoding = 0;
  std::uint8_t count_encoding = 0;
  std::uint8_t row_encoding = 0;
  std::int32_t frame = 0;
  std::uint32_t count = 0;
};

/// The last row that begins at or before `address`.
std::optional<TableRow> row_of(const Section& table, std::uint64_t address) {
  const std::optional<TableHeader> header = table.read<TableHeader>(0);
  if (!header || header->version != 1 || header->frame_encoding != (relative_to_place | signed_4_bytes) ||
      header->count_encoding != unsigned_4_bytes || header->row_encoding != (relative_to_table | signed_4_bytes)) {
    return std::nullopt;
  }
  const std::uint64_t room = (table.bytes.size() - sizeof(TableHeader)) / sizeof(TableRow);
  std::uint64_t low = 0;
  std::uint64_t high = std::min<std::uint64_t>(header->count, room);
  std::optional<TableRow> best;
  while (low < high) {
    const std::uint64_t middle = (low + high) / 2;
    const std::optional<TableRow> row = table.read<TableRow>(sizeof(TableHeader) + middle * sizeof(TableRow));
    if (table.address + static_cast<std::uint64_t>(std::int64_t{row->function}) > address) {
      high = middle;
    } else {
      best = row;
      low = middle + 1;
    }
  }
  return best;
}

std::uint64_t skip_leb128(const Section& frames, std::uint64_t at) {
  while (frames.read<std::uint8_t>(at).value_or(0) >= 0x80) ++at;
  return at + 1;
}

/// How addresses are written according to the common entry at `at`; whole addresses if it does not say.
std::uint8_t encoding_of(const Section& frames, std::uint64_t at) {
  constexpr std::uint64_t augmentation_at = 9;
  if (at + augmentation_at >= frames.bytes.size()) return 0;
  const std::string_view rest = frames.bytes.substr(at + augmentation_at);
  const std::string_view augmentation = rest.substr(0, rest.find('\0'));
  if (augmentation.empty() || augmentation.front() != 'z') return 0;
  std::uint64_t next = at + augmentation_at + augmentation.size() + 1;
  for (int field = 0; field < 4; ++field) next = skip_leb128(frames, next);  // alignments, register, length
  for (const char letter : augmentation.substr(1)) {
    const std::uint8_t encoding = frames.read<std::uint8_t>(next).value_or(0);
    if (letter == 'R') return encoding;
    if (letter == 'L') ++next;
    if (letter == 'P') next += 1 + ((encoding & format_bits) == signed_4_bytes ? 4U : 8U);
  }
  return 0;
}

/// The length of the function whose entry is at `at`.
std::optional<std::uint64_t> length_of(const Section& frames, std::uint64_t at) {
  const std::optional<std::uint32_t> size = frames.read<std::uint32_t>(at);
  const std::optional<std::uint32_t> back = frames.read<std::uint32_t>(at + 4);
  if (!size || !back || *size == 0 || *size == 0xffffffff || *back > at + 4) return std::nullopt;
  const std::uint8_t format = encoding_of(frames, at + 4 - *back) & format_bits;
  if (format == signed_4_bytes || format == unsigned_4_bytes) return frames.read<std::uint32_t>(at + 12);
  return frames.read<std::uint64_t>(at + 16);
}

}  // namespace

std::optional<CodeRange> unwind_range(const ElfFile& file, std::uint64_t address) {
  const std::optional<Section> table = section_of(file, ".eh_frame_hdr");
  const std::optional<Section> frames = section_of(file, ".eh_frame");
  const std::optional<TableRow> row = table ? row_of(*table, address) : std::nullopt;
  if (!row || !frames) return std::nullopt;
  const std::uint64_t begin = table->address + static_cast<std::uint64_t>(std::int64_t{row->function});
  const std::uint64_t entry = table->address + static_cast<std::uint64_t>(std::int64_t{row->entry});
  if (entry < frames->address) return std::nullopt;
  const std::optional<std::uint64_t> length = length_of(*frames, entry - frames->address);
  if (!length || address - begin >= *length) return std::nullopt;
  return CodeRange{CodeAddress{begin}, CodeAddress{begin + *length}};
}

}  // namespace moult::internal
