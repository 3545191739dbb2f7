// The way to a table leads through .eh_frame (Linux Standard Base, core, "Exception Frames"): the entry of a function
// has the function's address and, behind the length of its augmentation, that of its table. In an object both are
// relocations; in a linked file they are numbers in the encoding that the common entry names.
//
// Nothing is trusted: the object may be damaged. A read beyond the end makes the reader fail, and its numbers are 0
// from then on.
#include "diff/exception_table.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace moult::internal::diff {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t omitted = 0xFF;
constexpr std::uint8_t format_bits = 0x0F;
constexpr std::uint8_t base_bits = 0x70;
constexpr std::uint8_t relative_to_place = 0x10;

/// Reads forward, and fails beyond the end.
class Reader final {
 public:
  explicit Reader(Bytes bytes, std::uint64_t at = 0) : bytes_(bytes), at_(at) {}

  bool is_good() const noexcept { return is_good_ && at_ <= bytes_.size(); }
  std::uint64_t at() const noexcept { return at_; }
  void skip(std::uint64_t count) {
    at_ = count <= bytes_.size() && at_ <= bytes_.size() - count ? at_ + count : fail();
  }

  template <class Number>
  Number read() {
    const std::uint64_t from = at_;
    skip(sizeof(Number));
    Number number{};
    if (is_good_) std::memcpy(&number, bytes_.data() + from, sizeof number);
    return number;
  }

  std::uint64_t read_uleb() { return read_leb(false); }
  std::int64_t read_sleb() { return static_cast<std::int64_t>(read_leb(true)); }

  std::string_view read_text() {
    const std::uint64_t from = at_;
    while (is_good_ && read<std::uint8_t>() != 0) continue;
    return is_good_ ? std::string_view(reinterpret_cast<const char*>(bytes_.data()) + from, at_ - from - 1)
                    : std::string_view();
  }

  /// A number in one of the formats of pointers, without its base.
  std::uint64_t read_encoded(std::uint8_t encoding) {
    switch (encoding & format_bits) {
      case 0x00:
      case 0x04:
      case 0x0C: return read<std::uint64_t>();
      case 0x01: return read_uleb();
      case 0x02: return read<std::uint16_t>();
      case 0x03: return read<std::uint32_t>();
      case 0x09: return static_cast<std::uint64_t>(read_sleb());
      case 0x0A: return static_cast<std::uint64_t>(std::int64_t{read<std::int16_t>()});
      case 0x0B: return static_cast<std::uint64_t>(std::int64_t{read<std::int32_t>()});
      default: fail(); return 0;
    }
  }

 private:
  std::uint64_t fail() {
    is_good_ = false;
    return bytes_.size();
  }
  std::uint64_t read_leb(bool is_signed) {
    std::uint64_t number = 0;
    std::uint8_t byte = 0x80;
    unsigned shift = 0;
    for (; is_good_ && (byte & 0x80) != 0; shift += 7) {
      byte = read<std::uint8_t>();
      if (shift < 64) number |= std::uint64_t{byte & 0x7Fu} << shift;
    }
    if (is_signed && (byte & 0x40) != 0 && shift < 64) number |= ~std::uint64_t{0} << shift;
    return number;
  }

  Bytes bytes_;
  std::uint64_t at_;
  bool is_good_ = true;
};

/// What a common entry says about those that refer to it.
struct FrameFormat {
  std::uint8_t code_encoding = 0;
  std::uint8_t table_encoding = omitted;
};

FrameFormat read_format(Bytes frames, std::uint64_t at) {
  FrameFormat format;
  Reader reader(frames, at);
  reader.skip(9);  // length, id, version
  const std::string_view augmentation = reader.read_text();
  reader.read_uleb();  // alignment of code
  reader.read_sleb();  // alignment of data
  reader.read_uleb();  // register of the return address
  if (!augmentation.starts_with('z')) return format;
  reader.read_uleb();
  for (const char letter : augmentation.substr(1)) {
    if (letter == 'R') format.code_encoding = reader.read<std::uint8_t>();
    if (letter == 'L') format.table_encoding = reader.read<std::uint8_t>();
    if (letter == 'P') reader.read_encoded(reader.read<std::uint8_t>());
  }
  return reader.is_good() ? format : FrameFormat{};
}

/// The entry of a function with a table: offsets in .eh_frame of the fields that lead to both.
struct FrameEntry {
  std::uint64_t code_field = 0;
  std::uint64_t table_field = 0;
  FrameFormat format;
};

std::vector<FrameEntry> entries_with_table(Bytes frames) {
  std::vector<FrameEntry> entries;
  std::map<std::uint64_t, FrameFormat> formats;  // by the common entry's offset
  std::uint64_t next = 0;
  while (next + 8 <= frames.size()) {
    Reader reader(frames, next);
    const std::uint64_t size = reader.read<std::uint32_t>();
    if (size == 0 || size == 0xFFFFFFFF) break;
    const std::uint64_t id_at = reader.at();
    const std::uint64_t back = reader.read<std::uint32_t>();
    next = id_at + size;
    if (back == 0 || back > id_at) continue;
    const auto [format, is_new] = formats.try_emplace(id_at - back);
    if (is_new) format->second = read_format(frames, id_at - back);
    if (format->second.table_encoding == omitted) continue;
    FrameEntry entry{reader.at(), 0, format->second};
    reader.read_encoded(entry.format.code_encoding);
    reader.read_encoded(entry.format.code_encoding & format_bits);
    if (reader.read_uleb() == 0) continue;
    entry.table_field = reader.at();
    if (reader.is_good()) entries.push_back(entry);
  }
  return entries;
}

/// Where the relocation of a field leads to; nothing if there is none.
std::optional<ObjectPlace> place_at(const ObjectFile& object, std::size_t section, std::uint64_t field) {
  const std::span<const Relocation> found = object.relocations_of({section, field, field + 1});
  if (found.empty()) return std::nullopt;
  const ObjectSymbol& symbol = object.symbols()[found.front().symbol];
  return ObjectPlace{symbol.section, symbol.value + static_cast<std::uint64_t>(found.front().addend)};
}

/// The address that a field of the linked file means; 0 for none.
std::uint64_t address_at(Bytes frames, std::uint64_t section_address, std::uint64_t field, std::uint8_t encoding) {
  const std::uint64_t number = Reader(frames, field).read_encoded(encoding);
  if (number == 0) return 0;
  return (encoding & base_bits) == relative_to_place ? section_address + field + number : number;
}

/// Reads one table into Handlers.
class HandlerReader final {
 public:
  explicit HandlerReader(Bytes bytes) : bytes_(bytes) {}
  std::optional<Handlers> read();

 private:
  bool read_actions(std::uint64_t action);
  bool read_specification(std::int64_t filter);
  bool note_type(std::uint64_t number);

  Bytes bytes_;
  std::uint64_t types_ = 0;    ///< entries lie before this offset, lists of specifications behind it
  std::uint64_t actions_ = 0;  ///< the end of the call records
  Handlers handlers_;
};

std::optional<Handlers> HandlerReader::read() {
  Reader reader(bytes_);
  const auto base_encoding = reader.read<std::uint8_t>();
  if (base_encoding != omitted) return std::nullopt;
  const auto type_encoding = reader.read<std::uint8_t>();
  if (type_encoding != omitted) {
    const std::uint64_t distance = reader.read_uleb();
    types_ = reader.at() + distance;
    const std::uint8_t format = type_encoding & format_bits;
    handlers_.type_size = format == 0x03 || format == 0x0B ? 4 : 8;
    if (types_ > bytes_.size()) return std::nullopt;
  }
  const auto call_encoding = reader.read<std::uint8_t>();
  const std::uint64_t size = reader.read_uleb();
  actions_ = reader.at() + size;
  handlers_.numbers = {type_encoding, call_encoding};
  while (reader.is_good() && reader.at() < actions_) {
    GuardedCalls& calls = handlers_.calls.emplace_back();
    calls.begin = reader.read_encoded(call_encoding);
    calls.end = calls.begin + reader.read_encoded(call_encoding);
    calls.landing_pad = reader.read_encoded(call_encoding);
    const std::uint64_t action = reader.read_uleb();
    if (!reader.is_good() || !read_actions(action)) return std::nullopt;
  }
  return reader.is_good() ? std::optional(std::move(handlers_)) : std::nullopt;
}

/// A call's actions are a chain of records, each with a filter and the distance of the next.
bool HandlerReader::read_actions(std::uint64_t action) {
  constexpr int longest_chain = 10000;
  handlers_.numbers.push_back(action == 0 ? 0 : 1);
  if (action == 0) return true;
  std::uint64_t at = actions_ + action - 1;
  for (int records = 0; records < longest_chain; ++records) {
    Reader reader(bytes_, at);
    const std::int64_t filter = reader.read_sleb();
    const std::uint64_t from = reader.at();
    const std::int64_t distance = reader.read_sleb();
    if (!reader.is_good()) return false;
    handlers_.numbers.push_back(filter);
    if (filter > 0 && !note_type(static_cast<std::uint64_t>(filter))) return false;
    if (filter < 0 && !read_specification(filter)) return false;
    handlers_.numbers.push_back(distance == 0 ? 0 : 1);
    if (distance == 0) return true;
    at = from + static_cast<std::uint64_t>(distance);
    if (at >= bytes_.size()) return false;
  }
  return false;
}

/// `throw (A, B)`: a list of type numbers that ends with a 0.
bool HandlerReader::read_specification(std::int64_t filter) {
  Reader reader(bytes_, types_ + static_cast<std::uint64_t>(-(filter + 1)));
  for (;;) {
    const std::uint64_t number = reader.read_uleb();
    handlers_.numbers.push_back(static_cast<std::int64_t>(number));
    if (!reader.is_good()) return false;
    if (number == 0) return true;
    if (!note_type(number)) return false;
  }
}

bool HandlerReader::note_type(std::uint64_t number) {
  if (handlers_.type_size == 0 || number > types_ / handlers_.type_size) return false;
  handlers_.types.push_back(types_ - number * handlers_.type_size);
  return true;
}

}  // namespace

std::map<ObjectPlace, ObjectPlace> exception_tables_of(const ObjectFile& object) {
  std::map<ObjectPlace, ObjectPlace> tables;
  for (std::size_t i = 1; i < object.sections().size(); ++i) {
    const ObjectSection& section = object.sections()[i];
    if (section.name != ".eh_frame") continue;
    for (const FrameEntry& entry : entries_with_table(section.bytes)) {
      const std::optional<ObjectPlace> code = place_at(object, i, entry.code_field);
      const std::optional<ObjectPlace> table = place_at(object, i, entry.table_field);
      if (code && table) tables.emplace(*code, *table);
    }
  }
  return tables;
}

std::unordered_map<std::uint64_t, std::uint64_t> exception_tables_in(Bytes frames, std::uint64_t address) {
  std::unordered_map<std::uint64_t, std::uint64_t> tables;
  for (const FrameEntry& entry : entries_with_table(frames)) {
    const std::uint64_t code = address_at(frames, address, entry.code_field, entry.format.code_encoding);
    const std::uint64_t table = address_at(frames, address, entry.table_field, entry.format.table_encoding);
    if (table != 0) tables.emplace(code, table);
  }
  return tables;
}

std::optional<Handlers> read_handlers(Bytes bytes) { return HandlerReader(bytes).read(); }

}  // namespace moult::internal::diff
