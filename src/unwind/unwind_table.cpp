#include "unwind/unwind_table.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>

#include "unwind/encoded_reader.hpp"

namespace moult::internal {
namespace {

/// Instructions of a call frame program.
struct Program {
  const std::uint8_t* begin = nullptr;
  const std::uint8_t* end = nullptr;
};

/// A frame description entry, with the parts that come from its common entry.
struct FrameEntry {
  CodeRange range;
  std::uint64_t code_alignment = 1;
  std::int64_t data_alignment = 1;
  bool is_signal_frame = false;
  std::uint8_t pointer_encoding = encoded::absptr;
  std::uint8_t table_encoding = encoded::omit;  ///< the encoding of the pointer to the exception table
  std::uint64_t personality = 0;
  std::uint64_t exception_table = 0;
  bool has_augmentation = false;
  Program common;
  Program own;
};

bool read_common_entry(const std::uint8_t* start, FrameEntry& entry) noexcept {
  EncodedReader cursor(start);
  std::uint32_t length = cursor.read<std::uint32_t>();
  if (length == 0 || length == 0xFFFFFFFF) return false;
  const std::uint8_t* end = cursor.at() + length;
  if (cursor.read<std::uint32_t>() != 0) return false;
  std::uint8_t version = cursor.read<std::uint8_t>();
  if (version != 1 && version != 3) return false;
  const char* augmentation = reinterpret_cast<const char*>(cursor.at());
  cursor.skip(std::strlen(augmentation) + 1);
  entry.code_alignment = cursor.read_uleb();
  entry.data_alignment = cursor.read_sleb();
  std::uint64_t return_register = version == 1 ? cursor.read<std::uint8_t>() : cursor.read_uleb();
  if (return_register != rip) return false;
  entry.has_augmentation = augmentation[0] == 'z';
  if (augmentation[0] != '\0' && !entry.has_augmentation) return false;
  if (entry.has_augmentation) {
    std::uint64_t size = cursor.read_uleb();
    const std::uint8_t* after = cursor.at() + size;
    for (const char* letter = augmentation + 1; *letter != '\0'; ++letter) {
      if (*letter == 'R')
        entry.pointer_encoding = cursor.read<std::uint8_t>();
      else if (*letter == 'L')
        entry.table_encoding = cursor.read<std::uint8_t>();
      else if (*letter == 'P') {
        std::uint8_t encoding = cursor.read<std::uint8_t>();
        entry.personality = cursor.read_encoded(encoding, 0);
      } else if (*letter == 'S')
        entry.is_signal_frame = true;
    }
    cursor = EncodedReader(after);
  }
  entry.common = {cursor.at(), end};
  return true;
}

bool read_frame_entry(const std::uint8_t* start, FrameEntry& entry) noexcept {
  EncodedReader cursor(start);
  std::uint32_t length = cursor.read<std::uint32_t>();
  if (length == 0 || length == 0xFFFFFFFF) return false;
  const std::uint8_t* end = cursor.at() + length;
  const std::uint8_t* offset_at = cursor.at();
  std::uint32_t offset = cursor.read<std::uint32_t>();
  if (offset == 0 || !read_common_entry(offset_at - offset, entry)) return false;
  std::uint64_t begin = cursor.read_encoded(entry.pointer_encoding, 0);
  std::uint64_t size = cursor.read_encoded(entry.pointer_encoding & 0x0F, 0);
  entry.range = {CodeAddress{begin}, CodeAddress{begin + size}};
  if (entry.has_augmentation) {
    std::uint64_t augmentation_size = cursor.read_uleb();
    const std::uint8_t* after = cursor.at() + augmentation_size;
    entry.exception_table = cursor.read_encoded(entry.table_encoding, 0);
    cursor = EncodedReader(after);
  }
  entry.own = {cursor.at(), end};
  return true;
}

/// The sorted table of .eh_frame_hdr: pairs of offsets from the header.
struct TableEntry {
  std::int32_t code;
  std::int32_t entry;
};

const std::uint8_t* search_table(const std::uint8_t* header, CodeAddress address) noexcept {
  EncodedReader cursor(header);
  std::uint8_t version = cursor.read<std::uint8_t>();
  std::uint8_t frame_encoding = cursor.read<std::uint8_t>();
  std::uint8_t count_encoding = cursor.read<std::uint8_t>();
  std::uint8_t table_encoding = cursor.read<std::uint8_t>();
  if (version != 1 || table_encoding != (encoded::datarel | encoded::sdata4) || count_encoding == encoded::omit)
    return nullptr;
  std::uint64_t base = reinterpret_cast<std::uint64_t>(header);
  cursor.read_encoded(frame_encoding, base);
  std::uint64_t count = cursor.read_encoded(count_encoding, base);
  if (count == 0) return nullptr;
  const std::uint8_t* table = cursor.at();
  auto entry_at = [table](std::uint64_t index) {
    TableEntry entry;
    std::memcpy(&entry, table + index * sizeof entry, sizeof entry);
    return entry;
  };
  std::int64_t wanted = static_cast<std::int64_t>(value(address) - base);
  if (wanted < entry_at(0).code) return nullptr;
  std::uint64_t low = 0;
  for (std::uint64_t high = count; high - low > 1;) {
    std::uint64_t middle = low + (high - low) / 2;
    (entry_at(middle).code <= wanted ? low : high) = middle;
  }
  return header + entry_at(low).entry;
}

bool find_entry(CodeAddress address, FrameEntry& entry) noexcept {
  dl_find_object object;
  if (_dl_find_object(reinterpret_cast<void*>(value(address)), &object) != 0 || object.dlfo_eh_frame == nullptr)
    return false;
  const std::uint8_t* found = search_table(static_cast<const std::uint8_t*>(object.dlfo_eh_frame), address);
  return found != nullptr && read_frame_entry(found, entry) && entry.range.contains(address);
}

/// Runs call frame programs (DWARF 5, 6.4.2) until they pass an address.
class Interpreter final {
 public:
  Interpreter(const FrameEntry& entry, CodeAddress address, Row& row) noexcept
      : entry_(entry), address_(value(address)), row_(row), location_(value(entry.range.begin)) {}

  bool run() noexcept {
    if (!run(entry_.common)) return false;
    initial_ = row_;
    return run(entry_.own);
  }

 private:
  bool run(Program program) noexcept {
    EncodedReader cursor(program.begin);
    while (cursor.at() < program.end && !is_past_) {
      std::uint8_t byte = cursor.read<std::uint8_t>();
      std::uint8_t operand = byte & 0x3F;
      switch (byte >> 6) {
        case 1: advance(operand); break;
        case 2: set(operand, RegisterRule::Kind::at_cfa, scaled(cursor.read_uleb())); break;
        case 3: restore(operand); break;
        default:
          if (!extended(operand, cursor)) return false;
      }
    }
    return true;
  }

  bool extended(std::uint8_t opcode, EncodedReader& cursor) noexcept {
    using Kind = RegisterRule::Kind;
    switch (opcode) {
      case 0x00: return true;                                                            // nop
      case 0x01: move_to(cursor.read_encoded(entry_.pointer_encoding, 0)); return true;  // set_loc
      case 0x02: advance(cursor.read<std::uint8_t>()); return true;
      case 0x03: advance(cursor.read<std::uint16_t>()); return true;
      case 0x04: advance(cursor.read<std::uint32_t>()); return true;
      case 0x05: {
        std::uint64_t r = cursor.read_uleb();
        set(r, Kind::at_cfa, scaled(cursor.read_uleb()));
        return true;
      }
      case 0x06: restore(cursor.read_uleb()); return true;
      case 0x07: set(cursor.read_uleb(), Kind::undefined, 0); return true;
      case 0x08: set(cursor.read_uleb(), Kind::same, 0); return true;
      case 0x09: {
        std::uint64_t r = cursor.read_uleb();
        set(r, Kind::in_register, static_cast<std::int64_t>(cursor.read_uleb()));
        return true;
      }
      case 0x0A: return remember();
      case 0x0B: return recall();
      case 0x0C: {
        std::uint64_t r = cursor.read_uleb();
        define_cfa(r, static_cast<std::int64_t>(cursor.read_uleb()));
        return true;
      }
      case 0x0D: define_cfa(cursor.read_uleb(), row_.cfa_offset); return true;
      case 0x0E: define_cfa(row_.cfa_register, static_cast<std::int64_t>(cursor.read_uleb())); return true;
      case 0x0F: row_.cfa_expression = take_expression(cursor); return true;
      case 0x10: {
        std::uint64_t r = cursor.read_uleb();
        set_expression(r, Kind::at_expression, take_expression(cursor));
        return true;
      }
      case 0x11: {
        std::uint64_t r = cursor.read_uleb();
        set(r, Kind::at_cfa, cursor.read_sleb() * entry_.data_alignment);
        return true;
      }
      case 0x12: {
        std::uint64_t r = cursor.read_uleb();
        define_cfa(r, cursor.read_sleb() * entry_.data_alignment);
        return true;
      }
      case 0x13: define_cfa(row_.cfa_register, cursor.read_sleb() * entry_.data_alignment); return true;
      case 0x14: {
        std::uint64_t r = cursor.read_uleb();
        set(r, Kind::is_cfa, scaled(cursor.read_uleb()));
        return true;
      }
      case 0x15: {
        std::uint64_t r = cursor.read_uleb();
        set(r, Kind::is_cfa, cursor.read_sleb() * entry_.data_alignment);
        return true;
      }
      case 0x16: {
        std::uint64_t r = cursor.read_uleb();
        set_expression(r, Kind::is_expression, take_expression(cursor));
        return true;
      }
      case 0x2E: cursor.read_uleb(); return true;  // GNU_args_size
      default: return false;
    }
  }

  std::int64_t scaled(std::uint64_t offset) const noexcept {
    return static_cast<std::int64_t>(offset) * entry_.data_alignment;
  }

  void move_to(std::uint64_t location) noexcept {
    is_past_ = location > address_;
    location_ = location;
  }
  void advance(std::uint64_t delta) noexcept { move_to(location_ + delta * entry_.code_alignment); }

  void set(std::uint64_t number, RegisterRule::Kind kind, std::int64_t offset) noexcept {
    // Vector registers may have rules too, but finding the callers does not need them.
    if (number < register_count) row_.registers[number] = {kind, static_cast<std::int32_t>(offset), nullptr};
  }
  void set_expression(std::uint64_t number, RegisterRule::Kind kind, const std::uint8_t* expression) noexcept {
    if (number < register_count) row_.registers[number] = {kind, 0, expression};
  }
  void restore(std::uint64_t number) noexcept {
    if (number < register_count) row_.registers[number] = initial_.registers[number];
  }
  void define_cfa(std::uint64_t number, std::int64_t offset) noexcept {
    row_.cfa_register = static_cast<std::uint8_t>(number);
    row_.cfa_offset = static_cast<std::int32_t>(offset);
    row_.cfa_expression = nullptr;
  }
  static const std::uint8_t* take_expression(EncodedReader& cursor) noexcept {
    const std::uint8_t* expression = cursor.at();
    std::uint64_t length = cursor.read_uleb();
    cursor.skip(length);
    return expression;
  }
  bool remember() noexcept {
    if (remembered_count_ == remembered_.size()) return false;
    remembered_[remembered_count_++] = row_;
    return true;
  }
  bool recall() noexcept {
    if (remembered_count_ == 0) return false;
    row_ = remembered_[--remembered_count_];
    return true;
  }

  const FrameEntry& entry_;
  std::uint64_t address_;
  Row& row_;
  std::uint64_t location_;
  bool is_past_ = false;
  Row initial_;
  std::array<Row, 4> remembered_;
  std::size_t remembered_count_ = 0;
};

PlainRow to_plain(const Row& row) noexcept {
  using Kind = RegisterRule::Kind;
  PlainRow other{.state = PlainRow::State::other};
  PlainRow plain{.state = PlainRow::State::plain, .cfa_register = row.cfa_register, .cfa_offset = row.cfa_offset};
  const RegisterRule& return_address = row.registers[rip];
  if (row.cfa_expression != nullptr || row.is_signal_frame || row.cfa_register >= register_count) return other;
  if (return_address.kind != Kind::at_cfa || return_address.offset != -8) return other;
  for (std::size_t number = 0; number < rip; ++number) {
    const RegisterRule& rule = row.registers[number];
    auto at = std::find(PlainRow::preserved.begin(), PlainRow::preserved.end(), number);
    if (rule.kind == Kind::same || (rule.kind == Kind::undefined && at == PlainRow::preserved.end())) continue;
    if (rule.kind != Kind::at_cfa || rule.offset == 0 || at == PlainRow::preserved.end()) return other;
    plain.offsets[static_cast<std::size_t>(at - PlainRow::preserved.begin())] = rule.offset;
  }
  return plain;
}

}  // namespace

std::optional<CodeRange> unwind_entry_at(CodeAddress address) noexcept {
  FrameEntry entry;
  if (!find_entry(address, entry)) return std::nullopt;
  return entry.range;
}

std::optional<FrameHandling> frame_handling_at(CodeAddress address) noexcept {
  FrameEntry entry;
  if (!find_entry(address, entry)) return std::nullopt;
  return FrameHandling{entry.range, CodeAddress{entry.personality},
                       reinterpret_cast<const std::uint8_t*>(entry.exception_table), entry.is_signal_frame};
}

bool find_row(CodeAddress address, Row& row) noexcept {
  FrameEntry entry;
  if (!find_entry(address, entry)) return false;
  row = Row{};
  row.is_signal_frame = entry.is_signal_frame;
  return Interpreter(entry, address, row).run();
}

void RowCache::keep_for(std::uint64_t module_generation) {
  if (!rows_.empty() && generation_ == module_generation) return;
  rows_.assign(capacity, PlainRow{});
  generation_ = module_generation;
}

const PlainRow& RowCache::find(CodeAddress address) noexcept {
  PlainRow& row = rows_.empty() ? only_ : rows_[(value(address) ^ (value(address) >> 10)) % capacity];
  if (row.state != PlainRow::State::empty && row.address == address) return row;
  Row full;
  row = find_row(address, full) ? to_plain(full) : PlainRow{.state = PlainRow::State::unknown};
  row.address = address;
  return row;
}

}  // namespace moult::internal
