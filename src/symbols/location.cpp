// Limits: not supported are thread-local variables, pointers to values without a place (DW_OP_implicit_pointer), bit
// pieces, floating-point arithmetic, and calls of other expressions. Such a variable counts as optimized out.
#include "symbols/location.hpp"

#include <dwarf.h>

#include <algorithm>
#include <limits>

#include "symbols/die_attributes.hpp"

namespace moult::internal {
namespace {

constexpr int deepest_entry_value = 3;  // nested entry values: only damaged files

LocationExpression read_expression(Dwarf_Attribute& attribute, const Dwarf_Op* operations, std::size_t count,
                                   std::uintptr_t bias, int depth);

/// The type that an operation refers to; the generic type if it refers to none.
void read_type(LocationOperation& made, Dwarf_Attribute& attribute, const Dwarf_Op& operation) {
  const bool converts = operation.atom == DW_OP_convert || operation.atom == DW_OP_GNU_convert ||
                        operation.atom == DW_OP_reinterpret || operation.atom == DW_OP_GNU_reinterpret;
  if (converts && operation.number == 0) return;
  Dwarf_Die type{};
  made.is_known = dwarf_getlocation_die(&attribute, &operation, &type) == 0;
  if (!made.is_known) return;
  const std::uint64_t encoding = number_of(type, DW_AT_encoding).value_or(0);
  const bool is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
  const bool is_integer = is_signed || encoding == DW_ATE_unsigned || encoding == DW_ATE_unsigned_char ||
                          encoding == DW_ATE_boolean || encoding == DW_ATE_UTF || encoding == DW_ATE_address;
  const std::uint64_t size = size_of_type(type);
  made.is_known = is_integer && size > 0 && size <= 8;
  made.type = {static_cast<std::uint8_t>(size), is_signed, false};
}

void read_constant(LocationOperation& made, const Dwarf_Op& operation) {
  const auto* block = reinterpret_cast<const unsigned char*>(operation.number2);
  // The block of DW_OP_const_type begins with its length.
  const std::size_t length = std::min<std::size_t>(*block, sizeof(std::uint64_t));
  made.first = 0;
  for (std::size_t i = 0; i < length; ++i) made.first |= std::uint64_t{block[i + 1]} << (8 * i);
}

LocationOperation read_operation(Dwarf_Attribute& attribute, const Dwarf_Op& operation, std::uintptr_t bias,
                                 int depth) {
  LocationOperation made;
  made.code = operation.atom;
  made.first = operation.number;
  made.second = operation.number2;
  made.offset = operation.offset;
  Dwarf_Attribute referred{};
  Dwarf_Block block{};
  switch (operation.atom) {
    case DW_OP_addr: made.first += bias; break;
    case DW_OP_addrx:
    case DW_OP_GNU_addr_index:
    case DW_OP_constx:
    case DW_OP_GNU_const_index: {
      Dwarf_Addr address = 0;
      made.is_known =
          dwarf_getlocation_attr(&attribute, &operation, &referred) == 0 && dwarf_formaddr(&referred, &address) == 0;
      made.code = DW_OP_addr;
      made.first = address;
      if (operation.atom == DW_OP_addrx || operation.atom == DW_OP_GNU_addr_index) made.first += bias;
      break;
    }
    case DW_OP_implicit_value:
      made.is_known = dwarf_getlocation_implicit_value(&attribute, &operation, &block) == 0;
      made.second = 0;  // an offset in the file
      if (made.is_known) {
        const auto* bytes = reinterpret_cast<const std::byte*>(block.data);
        made.bytes.assign(bytes, bytes + block.length);
      }
      break;
    case DW_OP_entry_value:
    case DW_OP_GNU_entry_value: {
      Dwarf_Op* inner = nullptr;
      std::size_t count = 0;
      made.code = DW_OP_entry_value;
      made.second = 0;
      made.is_known = depth < deepest_entry_value && dwarf_getlocation_attr(&attribute, &operation, &referred) == 0 &&
                      dwarf_getlocation(&referred, &inner, &count) == 0;
      if (made.is_known) made.inner = read_expression(referred, inner, count, bias, depth + 1);
      break;
    }
    case DW_OP_const_type:
    case DW_OP_GNU_const_type:
      made.code = DW_OP_const_type;
      read_type(made, attribute, operation);
      read_constant(made, operation);
      made.second = 0;
      break;
    case DW_OP_regval_type:
    case DW_OP_GNU_regval_type:
      made.code = DW_OP_regval_type;
      read_type(made, attribute, operation);
      break;
    case DW_OP_deref_type:
    case DW_OP_GNU_deref_type:
      made.code = DW_OP_deref_type;
      read_type(made, attribute, operation);
      break;
    case DW_OP_convert:
    case DW_OP_GNU_convert:
      made.code = DW_OP_convert;
      read_type(made, attribute, operation);
      break;
    case DW_OP_reinterpret:
    case DW_OP_GNU_reinterpret:
      made.code = DW_OP_reinterpret;
      read_type(made, attribute, operation);
      break;
    default: break;
  }
  return made;
}

LocationExpression read_expression(Dwarf_Attribute& attribute, const Dwarf_Op* operations, std::size_t count,
                                   std::uintptr_t bias, int depth) {
  LocationExpression expression;
  expression.reserve(count);
  for (std::size_t i = 0; i < count; ++i) expression.push_back(read_operation(attribute, operations[i], bias, depth));
  return expression;
}

struct Operand {
  std::uint64_t bits = 0;
  OperandType type;
};

/// The bits of a value of the type, sign-extended to the full width.
std::uint64_t fitted(std::uint64_t bits, const OperandType& type) {
  if (type.size >= sizeof bits) return bits;
  const unsigned unused = 64 - 8U * type.size;
  const std::uint64_t shifted = bits << unused;
  return type.is_signed ? static_cast<std::uint64_t>(static_cast<std::int64_t>(shifted) >> unused) : shifted >> unused;
}

class Evaluator final {
 public:
  Evaluator(const LocationExpression& expression, const FrameValues& frame) : expression_(expression), frame_(frame) {}

  Location run() {
    constexpr int most_steps = 10000;  // a damaged expression may loop for ever
    for (int steps = 0; at_ < expression_.size(); ++steps) {
      const LocationOperation& operation = expression_[at_++];
      if (operation.code == DW_OP_piece) {
        end_piece(operation.first);
      } else if (!is_lost_) {
        is_lost_ = steps > most_steps || !operation.is_known || !execute(operation) || is_broken_;
      }
    }
    if (found_.empty() || piece_ || !stack_.empty()) end_piece(0);
    return std::move(found_);
  }

  std::optional<std::uint64_t> number() {
    const Location location = run();
    if (location.size() != 1) return std::nullopt;
    const LocationPiece& piece = location.front();
    std::uint64_t word = 0;
    const std::span<std::byte> bytes = std::as_writable_bytes(std::span<std::uint64_t, 1>(&word, 1));
    switch (piece.kind) {
      case LocationPiece::Kind::memory: return piece.place;
      case LocationPiece::Kind::in_register:
        return frame_.read_register(piece.place, bytes) ? std::optional(word) : std::nullopt;
      case LocationPiece::Kind::value:
        std::copy_n(piece.bytes.begin(), std::min(piece.bytes.size(), bytes.size()), bytes.begin());
        return word;
      default: return std::nullopt;
    }
  }

 private:
  void push(std::uint64_t bits, const OperandType& type = {}) { stack_.push_back({fitted(bits, type), type}); }

  Operand pop() {
    if (stack_.empty()) {
      is_broken_ = true;
      return {};
    }
    const Operand top = stack_.back();
    stack_.pop_back();
    return top;
  }

  void end_piece(std::uint64_t size) {
    LocationPiece piece;
    if (!is_lost_ && piece_)
      piece = *piece_;
    else if (!is_lost_ && !stack_.empty())
      piece = {LocationPiece::Kind::memory, stack_.back().bits, 0, {}};
    piece.size = size;
    found_.push_back(std::move(piece));
    piece_.reset();
    stack_.clear();
    is_lost_ = is_broken_ = false;
  }

  void set_value(std::uint64_t bits) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span<const std::uint64_t, 1>(&bits, 1));
    piece_ = {LocationPiece::Kind::value, 0, 0, {bytes.begin(), bytes.end()}};
  }

  bool execute(const LocationOperation& operation) {
    const std::uint8_t code = operation.code;
    if (code >= DW_OP_lit0 && code <= DW_OP_lit31) return push(code - std::uint64_t{DW_OP_lit0}), true;
    if (code >= DW_OP_reg0 && code <= DW_OP_reg31) return name_register(code - std::uint64_t{DW_OP_reg0});
    if (code >= DW_OP_breg0 && code <= DW_OP_breg31)
      return push_register(code - std::uint64_t{DW_OP_breg0}, operation.first, {});
    return push_something(operation) || reorder(operation) || on_one(operation) || on_two(code);
  }

  bool name_register(std::uint64_t number) {
    piece_ = {LocationPiece::Kind::in_register, number, 0, {}};
    return true;
  }

  bool push_register(std::uint64_t number, std::uint64_t offset, const OperandType& type) {
    std::uint64_t word = 0;
    if (!frame_.read_register(number, std::as_writable_bytes(std::span<std::uint64_t, 1>(&word, 1)))) return lost();
    push(word + offset, type);
    return true;
  }

  bool push_known(const std::optional<std::uint64_t>& number, std::uint64_t offset = 0) {
    if (!number) return lost();
    push(*number + offset);
    return true;
  }

  bool lost() {
    is_broken_ = true;
    return true;
  }

  bool push_something(const LocationOperation& operation) {
    switch (operation.code) {
      case DW_OP_addr:
      case DW_OP_const1u:
      case DW_OP_const1s:
      case DW_OP_const2u:
      case DW_OP_const2s:
      case DW_OP_const4u:
      case DW_OP_const4s:
      case DW_OP_const8u:
      case DW_OP_const8s:
      case DW_OP_constu:
      case DW_OP_consts: push(operation.first); return true;
      case DW_OP_const_type: push(operation.first, operation.type); return true;
      case DW_OP_regx: return name_register(operation.first);
      case DW_OP_bregx: return push_register(operation.first, operation.second, {});
      case DW_OP_regval_type: return push_register(operation.first, 0, operation.type);
      case DW_OP_fbreg: return push_known(frame_.frame_base(), operation.first);
      case DW_OP_call_frame_cfa: return push_known(frame_.cfa());
      case DW_OP_entry_value: return push_known(frame_.entry_value(operation.inner));
      case DW_OP_implicit_value: piece_ = {LocationPiece::Kind::value, 0, 0, operation.bytes}; return true;
      case DW_OP_stack_value: set_value(pop().bits); return true;
      case DW_OP_nop: return true;
      default: return false;
    }
  }

  bool reorder(const LocationOperation& operation) {
    switch (operation.code) {
      case DW_OP_dup: return pick(0);
      case DW_OP_over: return pick(1);
      case DW_OP_pick: return pick(operation.first);
      case DW_OP_drop: pop(); return true;
      case DW_OP_swap: {
        const Operand b = pop();
        const Operand a = pop();
        stack_.insert(stack_.end(), {b, a});
        return true;
      }
      case DW_OP_rot: {
        const Operand c = pop();
        const Operand b = pop();
        const Operand a = pop();
        stack_.insert(stack_.end(), {c, a, b});
        return true;
      }
      case DW_OP_skip: return branch(operation);
      case DW_OP_bra: return pop().bits != 0 ? branch(operation) : true;
      default: return false;
    }
  }

  bool pick(std::uint64_t depth) {
    if (depth >= stack_.size()) return lost();
    const Operand picked = stack_[stack_.size() - 1 - depth];
    stack_.push_back(picked);
    return true;
  }

  /// Branches by a distance in bytes from the end of this operation, which has three bytes.
  bool branch(const LocationOperation& operation) {
    const std::uint64_t target = operation.offset + 3 + operation.first;
    const auto found = std::find_if(expression_.begin(), expression_.end(),
                                    [target](const LocationOperation& one) { return one.offset == target; });
    at_ = static_cast<std::size_t>(found - expression_.begin());
    return true;
  }

  bool on_one(const LocationOperation& operation) {
    switch (operation.code) {
      case DW_OP_deref: return dereference(8, {});
      case DW_OP_deref_size: return dereference(operation.first, {});
      case DW_OP_deref_type: return dereference(operation.first, operation.type);
      case DW_OP_convert:
      case DW_OP_reinterpret: push(pop().bits, operation.type); return true;
      case DW_OP_abs:
        return change([](std::uint64_t bits) { return static_cast<std::int64_t>(bits) < 0 ? 0 - bits : bits; });
      case DW_OP_neg: return change([](std::uint64_t bits) { return 0 - bits; });
      case DW_OP_not: return change([](std::uint64_t bits) { return ~bits; });
      case DW_OP_plus_uconst: return change([&](std::uint64_t bits) { return bits + operation.first; });
      default: return false;
    }
  }

  template <class Change>
  bool change(Change&& new_bits) {
    const Operand top = pop();
    push(new_bits(top.bits), top.type);
    return true;
  }

  bool dereference(std::uint64_t size, const OperandType& type) {
    std::uint64_t word = 0;
    const std::uint64_t address = pop().bits;
    if (size == 0 || size > sizeof word ||
        !frame_.read_memory(address, std::as_writable_bytes(std::span<std::uint64_t, 1>(&word, 1)).first(size)))
      return lost();
    push(word, type);
    return true;
  }

  bool on_two(std::uint8_t code) {
    const Operand b = pop();
    const Operand a = pop();
    const bool is_signed = a.type.is_generic || a.type.is_signed;
    const auto sa = static_cast<std::int64_t>(a.bits);
    const auto sb = static_cast<std::int64_t>(b.bits);
    const auto compare = [&](bool if_signed, bool if_unsigned) {
      return push(is_signed ? if_signed : if_unsigned), true;
    };
    switch (code) {
      case DW_OP_and: push(a.bits & b.bits, a.type); return true;
      case DW_OP_or: push(a.bits | b.bits, a.type); return true;
      case DW_OP_xor: push(a.bits ^ b.bits, a.type); return true;
      case DW_OP_plus: push(a.bits + b.bits, a.type); return true;
      case DW_OP_minus: push(a.bits - b.bits, a.type); return true;
      case DW_OP_mul: push(a.bits * b.bits, a.type); return true;
      case DW_OP_div: return divide(a, b, is_signed);
      case DW_OP_mod:
        if (b.bits == 0 || (a.type.is_signed && sb == -1)) return lost();
        push(a.type.is_signed ? static_cast<std::uint64_t>(sa % sb) : a.bits % b.bits, a.type);
        return true;
      case DW_OP_shl: push(b.bits < 64 ? a.bits << b.bits : 0, a.type); return true;
      case DW_OP_shr:
        push(b.bits < 64 ? fitted(a.bits, {a.type.size, false, false}) >> b.bits : 0, a.type);
        return true;
      case DW_OP_shra: push(static_cast<std::uint64_t>(sa >> std::min<std::uint64_t>(b.bits, 63)), a.type); return true;
      case DW_OP_eq: return compare(a.bits == b.bits, a.bits == b.bits);
      case DW_OP_ne: return compare(a.bits != b.bits, a.bits != b.bits);
      case DW_OP_ge: return compare(sa >= sb, a.bits >= b.bits);
      case DW_OP_gt: return compare(sa > sb, a.bits > b.bits);
      case DW_OP_le: return compare(sa <= sb, a.bits <= b.bits);
      case DW_OP_lt: return compare(sa < sb, a.bits < b.bits);
      default: return false;
    }
  }

  bool divide(const Operand& a, const Operand& b, bool is_signed) {
    const auto sb = static_cast<std::int64_t>(b.bits);
    if (b.bits == 0 || (is_signed && sb == -1 && a.bits == std::uint64_t{1} << 63)) return lost();
    push(is_signed ? static_cast<std::uint64_t>(static_cast<std::int64_t>(a.bits) / sb) : a.bits / b.bits, a.type);
    return true;
  }

  const LocationExpression& expression_;
  const FrameValues& frame_;
  std::size_t at_ = 0;
  std::vector<Operand> stack_;
  std::optional<LocationPiece> piece_;
  bool is_lost_ = false;    ///< the present piece is unknown
  bool is_broken_ = false;  ///< the present operation lacks an operand
  Location found_;
};

}  // namespace

std::vector<LocationEntry> location_entries(Dwarf_Attribute& attribute, std::uintptr_t bias) {
  constexpr CodeRange everything{CodeAddress{0}, CodeAddress{std::numeric_limits<std::uintptr_t>::max()}};
  std::vector<LocationEntry> entries;
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  const unsigned form = dwarf_whatform(&attribute);
  const bool is_one = form == DW_FORM_exprloc || form == DW_FORM_block || form == DW_FORM_block1 ||
                      form == DW_FORM_block2 || form == DW_FORM_block4;
  if (is_one) {
    if (dwarf_getlocation(&attribute, &operations, &count) == 0 && count > 0)
      entries.push_back({everything, read_expression(attribute, operations, count, bias, 0)});
    return entries;
  }
  Dwarf_Addr base = 0;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  for (std::ptrdiff_t at = 0;
       (at = dwarf_getlocations(&attribute, at, &base, &begin, &end, &operations, &count)) > 0;) {
    if (begin >= end || count == 0) continue;
    entries.push_back(
        {{CodeAddress{begin + bias}, CodeAddress{end + bias}}, read_expression(attribute, operations, count, bias, 0)});
  }
  return entries;
}

Location evaluate(const LocationExpression& expression, const FrameValues& frame) {
  return Evaluator(expression, frame).run();
}

std::optional<std::uint64_t> evaluate_number(const LocationExpression& expression, const FrameValues& frame) {
  return Evaluator(expression, frame).number();
}

std::optional<std::vector<std::byte>> read_value(const Location& location, std::size_t size, const FrameValues& frame) {
  std::vector<std::byte> bytes(size);
  std::size_t at = 0;
  for (const LocationPiece& piece : location) {
    const std::size_t length = piece.size == 0 ? size - at : static_cast<std::size_t>(piece.size);
    if (length > size - at) return std::nullopt;
    const std::span<std::byte> to = std::span(bytes).subspan(at, length);
    at += length;
    switch (piece.kind) {
      case LocationPiece::Kind::memory:
        if (!frame.read_memory(piece.place, to)) return std::nullopt;
        break;
      case LocationPiece::Kind::in_register:
        if (!frame.read_register(piece.place, to)) return std::nullopt;
        break;
      case LocationPiece::Kind::value:
        if (piece.bytes.size() < length) return std::nullopt;
        std::copy_n(piece.bytes.begin(), length, to.begin());
        break;
      default: return std::nullopt;
    }
  }
  return at == size ? std::optional(std::move(bytes)) : std::nullopt;
}

bool same_expression(const LocationExpression& a, const LocationExpression& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const LocationOperation& x, const LocationOperation& y) {
    return x.code == y.code && x.first == y.first && x.second == y.second && x.bytes == y.bytes &&
           same_expression(x.inner, y.inner);
  });
}

std::optional<std::uint64_t> register_named_by(const LocationExpression& expression) {
  if (expression.size() != 1) return std::nullopt;
  const LocationOperation& only = expression.front();
  if (only.code >= DW_OP_reg0 && only.code <= DW_OP_reg31) return only.code - std::uint64_t{DW_OP_reg0};
  return only.code == DW_OP_regx ? std::optional(only.first) : std::nullopt;
}

}  // namespace moult::internal
