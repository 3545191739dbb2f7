#include "threads/unwind_table.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>

#include "threads/leb128.hpp"

namespace moult::threads {
namespace {

// Pointer encodings (LSB 5.0, 10.5.1).
enum Encoding : std::uint8_t {
  absptr = 0x00,
  uleb128 = 0x01,
  udata2 = 0x02,
  udata4 = 0x03,
  udata8 = 0x04,
  sleb128 = 0x09,
  sdata2 = 0x0A,
  sdata4 = 0x0B,
  sdata8 = 0x0C,
  pcrel = 0x10,
  datarel = 0x30,
  indirect = 0x80,
  omit = 0xFF,
};

/// Reads forward through unwind information, which is trusted to be well formed: the linker made it.
class Cursor final {
 public:
  explicit Cursor(const std::uint8_t* at) noexcept : at_(at) {}

  const std::uint8_t* at() const noexcept { return at_; }
  void skip(std::size_t bytes) noexcept { at_ += bytes; }

  template <class T>
  T read() noexcept {
    T number;
    std::memcpy(&number, at_, sizeof number);
    at_ += sizeof number;
    return number;
  }

  std::uint64_t read_uleb() noexcept { return read_uleb128(at_); }
  std::int64_t read_sleb() noexcept { return read_sleb128(at_); }

  std::uint64_t read_encoded(std::uint8_t encoding, std::uint64_t data_base) noexcept {
    if (encoding == omit) return 0;
    std::uint64_t base = 0;
    if ((encoding & 0x70) == pcrel) base = reinterpret_cast<std::uint64_t>(at_);
    if ((encoding & 0x70) == datarel) base = data_base;
    std::uint64_t number = 0;
    switch (encoding & 0x0F) {
      case absptr:
      case udata8: number = read<std::uint64_t>(); break;
      case uleb128: number = read_uleb(); break;
      case udata2: number = read<std::uint16_t>(); break;
      case udata4: number = read<std::uint32_t>(); break;
      case sleb128: number = static_cast<std::uint64_t>(read_sleb()); break;
      case sdata2: number = static_cast<std::uint64_t>(std::int64_t{read<std::int16_t>()}); break;
      case sdata4: number = static_cast<std::uint64_t>(std::int64_t{read<std::int32_t>()}); break;
      case sdata8: number = static_cast<std::uint64_t>(read<std::int64_t>()); break;
      default: return 0;
    }
    if (number == 0) return 0;
    number += base;
    if ((encoding & indirect) != 0) std::memcpy(&number, reinterpret_cast<const void*>(number), sizeof number);
    return number;
  }

 private:
  const std::uint8_t* at_;
};

/// Instructions of a call frame program.
struct Program {
  const std::uint8_t* begin = nullptr;
  const std::uint8_t* end = nullptr;
};

/// A frame description entry with what it takes from its common entry.
struct FrameEntry {
  CodeRange range;
  std::uint64_t code_alignment = 1;
  std::int64_t data_alignment = 1;
  bool is_signal_frame = false;
  std::uint8_t pointer_encoding = absptr;
  bool has_augmentation = false;
  Program common;
  Program own;
};

bool read_common_entry(const std::uint8_t* start, FrameEntry& entry) noexcept {
  Cursor cursor(start);
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
  if (return_register != platform::rip) return false;
  entry.has_augmentation = augmentation[0] == 'z';
  if (augmentation[0] != '\0' && !entry.has_augmentation) return false;
  if (entry.has_augmentation) {
    std::uint64_t size = cursor.read_uleb();
    const std::uint8_t* after = cursor.at() + size;
    for (const char* letter = augmentation + 1; *letter != '\0'; ++letter) {
      if (*letter == 'R')
        entry.pointer_encoding = cursor.read<std::uint8_t>();
      else if (*letter == 'L')
        cursor.skip(1);
      else if (*letter == 'P') {
        std::uint8_t encoding = cursor.read<std::uint8_t>();
        cursor.read_encoded(encoding & static_cast<std::uint8_t>(~indirect), 0);
      } else if (*letter == 'S')
        entry.is_signal_frame = true;
    }
    cursor = Cursor(after);
  }
  entry.common = {cursor.at(), end};
  return true;
}

bool read_frame_entry(const std::uint8_t* start, FrameEntry& entry) noexcept {
  Cursor cursor(start);
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
    cursor.skip(augmentation_size);
  }
  entry.own = {cursor.at(), end};
  return true;
}

/// The sorted table that .eh_frame_hdr holds: pairs of offsets from the header.
struct TableEntry {
  std::int32_t code;
  std::int32_t entry;
};

const std::uint8_t* search_table(const std::uint8_t* header, CodeAddress address) noexcept {
  Cursor cursor(header);
  std::uint8_t version = cursor.read<std::uint8_t>();
  std::uint8_t frame_encoding = cursor.read<std::uint8_t>();
  std::uint8_t count_encoding = cursor.read<std::uint8_t>();
  std::uint8_t table_encoding = cursor.read<std::uint8_t>();
  if (version != 1 || table_encoding != (datarel | sdata4) || count_encoding == omit) return nullptr;
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
    Cursor cursor(program.begin);
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

  bool extended(std::uint8_t opcode, Cursor& cursor) noexcept {
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
    // Vector registers may have rules too; nothing of them is needed to find the callers.
    if (number < platform::register_count) row_.registers[number] = {kind, static_cast<std::int32_t>(offset), nullptr};
  }
  void set_expression(std::uint64_t number, RegisterRule::Kind kind, const std::uint8_t* expression) noexcept {
    if (number < platform::register_count) row_.registers[number] = {kind, 0, expression};
  }
  void restore(std::uint64_t number) noexcept {
    if (number < platform::register_count) row_.registers[number] = initial_.registers[number];
  }
  void define_cfa(std::uint64_t number, std::int64_t offset) noexcept {
    row_.cfa_register = static_cast<std::uint8_t>(number);
    row_.cfa_offset = static_cast<std::int32_t>(offset);
    row_.cfa_expression = nullptr;
  }
  static const std::uint8_t* take_expression(Cursor& cursor) noexcept {
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
  const RegisterRule& return_address = row.registers[platform::rip];
  if (row.cfa_expression != nullptr || row.is_signal_frame || row.cfa_register >= platform::register_count)
    return other;
  if (return_address.kind != Kind::at_cfa || return_address.offset != -8) return other;
  for (std::size_t number = 0; number < platform::rip; ++number) {
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

}  // namespace moult::threads
