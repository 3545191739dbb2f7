// Approach: Ksplice's run-pre matching (Arnold and Kaashoek, 2009), with the object as "pre" and the program's own file
// as "run". From each linked field follows the address that its symbol must have. It is then checked, not believed:
//   - named functions and variables by the program's symbol table, its stubs (PLT) and its pointers (GOT);
//   - what is local to the source by name and unit;
//   - constants without a name of their own (strings, jump tables, tables of switches) by content, and what they refer
//     to in turn;
//   - the function's own code, to which jump tables and its cold part lead, by the place in it.
//
// A function that several objects define (inline functions, instances of templates) is in the program once, from any of
// them. What it refers to locally may then belong to another unit.
//
// Limits: local variables of one name in C have numbers, which change when one is added. They are told apart by size
// and by being the same for all functions of the object. A constant without a name ends where the next one begins that
// something in the object refers to.
#include "diff/match.hpp"

#include <elf.h>

#include <algorithm>

#include "base/address.hpp"
#include "base/names.hpp"

namespace moult::internal::diff {
namespace {

using Kind = Destination::Kind;

std::string shown(std::string_view name) { return demangle(std::string(name)); }

Judgement changed(std::string reason) { return {Verdict::changed, std::move(reason)}; }
Judgement unknown(std::string reason) { return {Verdict::unknown, std::move(reason)}; }

bool is_thread_local(const Destination& destination) noexcept {
  return destination.kind == Kind::thread_local_offset || destination.kind == Kind::thread_local_import;
}

bool is_import(const Destination& destination) noexcept {
  return destination.kind == Kind::import || destination.kind == Kind::thread_local_import;
}

/// A place a little before or behind what it belongs to, as compilers compute it for an index that does not begin at 0.
std::uint64_t clamped(std::int64_t place, std::uint64_t size) {
  return size == 0
             ? 0
             : static_cast<std::uint64_t>(std::clamp<std::int64_t>(place, 0, static_cast<std::int64_t>(size) - 1));
}

Judgement worse(Judgement first, Judgement second) {
  return second.verdict > first.verdict ? std::move(second) : std::move(first);
}

/// `place` with the difference in front: "at +0x1c: ...".
Judgement at(std::uint64_t place, Judgement judgement) {
  if (judgement.verdict != Verdict::same) judgement.reason = "at +" + hex_text(place) + ": " + judgement.reason;
  return judgement;
}

/// The offset of the first byte of [begin, end) that differs.
std::optional<std::uint64_t> first_difference(const PlacedPiece& piece, std::uint64_t begin, std::uint64_t end) {
  const auto differing =
      std::ranges::mismatch(piece.object.subspan(begin, end - begin), piece.linked.subspan(begin, end - begin));
  const auto offset = static_cast<std::uint64_t>(differing.in1 - piece.object.begin());
  return offset < end ? std::optional(offset) : std::nullopt;
}

}  // namespace

Match::Match(const ObjectFile& object, const LinkedFile& program, std::optional<std::size_t> unit)
    : object_(object), program_(program), unit_(unit), exception_tables_(exception_tables_of(object)) {}

bool Match::is_from_unit(const LinkedSymbol& symbol) const noexcept {
  return symbol.binding == Binding::local && unit_ == symbol.unit;
}

const LinkedSymbol* Match::find(const ObjectSymbol& symbol) const {
  for (const std::size_t each : program_.named(symbol.name)) {
    const LinkedSymbol& linked = program_.symbols()[each];
    const bool is_local = symbol.binding == Binding::local;
    if (linked.kind != symbol.kind) continue;
    if (is_local ? is_from_unit(linked) : linked.binding != Binding::local) return &linked;
  }
  return nullptr;
}

const LinkedSymbol* Match::find(const ObjectFunction& function) const {
  for (const std::size_t index : function.symbols)
    if (const LinkedSymbol* const found = find(object_.symbols()[index])) return found;
  return nullptr;
}

Judgement Match::compare(const ObjectFunction& function, const LinkedSymbol& linked) {
  function_ = &function;
  parts_ = {{function.piece, linked.address, linked.size}};
  own_uses_.clear();
  is_shared_ = object_.symbols()[function.symbols.front()].binding == Binding::weak;
  Judgement judgement = compare_part(0);
  if (judgement.verdict != Verdict::changed) judgement = worse(std::move(judgement), compare_cold_part());
  if (judgement.verdict != Verdict::changed) judgement = worse(std::move(judgement), check_own_uses());
  for (const Part& part : std::vector<Part>(parts_))
    if (judgement.verdict != Verdict::changed) judgement = worse(std::move(judgement), compare_handlers(part));
  // While a constant is compared it counts as equal, so that it can refer to itself. That must not outlive a
  // difference.
  if (judgement.verdict != Verdict::same) constants_.clear();
  return judgement;
}

Judgement Match::compare(const ObjectSymbol& variable, const LinkedSymbol& linked) {
  function_ = nullptr;
  parts_.clear();
  own_uses_.clear();
  is_shared_ = variable.binding == Binding::weak;
  if (linked.size != variable.size)
    return changed("it has " + std::to_string(variable.size) + " bytes instead of " + std::to_string(linked.size));
  Judgement judgement = compare_initial_value(variable, linked);
  if (judgement.verdict != Verdict::same) constants_.clear();
  const bool is_constant = object_.sections()[variable.section].is_constant();
  if (judgement.verdict == Verdict::changed && !is_constant)
    judgement.reason = "its initial value differs; a running program keeps the value that it has";
  return judgement;
}

Judgement Match::compare_initial_value(const ObjectSymbol& variable, const LinkedSymbol& linked) {
  const auto is_zero = [](std::span<const std::uint8_t> bytes) {
    return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
  };
  const Piece piece{variable.section, variable.value, variable.value + variable.size};
  const std::span<const std::uint8_t> bytes = object_.section(piece).bytes;
  const auto initial = program_.initial_value_of(linked);
  if (initial && !bytes.empty()) return compare_piece(piece, initial->address);
  const bool is_same = initial ? is_zero(initial->bytes)
                               : bytes.empty() || (is_zero(bytes.subspan(piece.begin, piece.size())) &&
                                                   object_.relocations_of(piece).empty());
  return is_same ? Judgement{} : changed("its initial value differs");
}

bool Match::Part::is_at(std::uint64_t offset, std::uint64_t linked_offset) const {
  if (places.empty()) return offset == linked_offset;
  const auto found = places.find(offset);
  return found != places.end() && found->second.begin <= linked_offset && linked_offset <= found->second.end;
}

Judgement Match::compare_part(std::size_t index) {
  const Part part = parts_[index];
  const std::size_t parts_before = parts_.size();
  const std::size_t uses_before = own_uses_.size();
  Judgement judgement =
      changed("it has " + std::to_string(part.piece.size()) + " bytes instead of " + std::to_string(part.linked_size));
  if (part.linked_size == part.piece.size()) judgement = compare_piece(part.piece, part.address);
  if (judgement.verdict != Verdict::changed) return judgement;
  parts_.resize(parts_before);
  own_uses_.resize(uses_before);
  constants_.clear();
  Judgement with_other_jumps = compare_with_other_jumps(index);
  return with_other_jumps.verdict == Verdict::changed ? judgement : with_other_jumps;
}

Judgement Match::compare_with_other_jumps(std::size_t index) {
  const Piece piece = parts_[index].piece;
  const std::uint64_t address = parts_[index].address;
  const auto linked = program_.bytes(address, parts_[index].linked_size);
  if (!linked) return changed("it leads beyond what the program has in its file");
  const auto is_relocated = [&](std::uint64_t begin, std::uint64_t end) {
    return !object_.relocations_of({piece.section, piece.begin + begin, piece.begin + end}).empty();
  };
  std::optional<CodeAlignment> alignment =
      align_code(object_.section(piece).bytes.subspan(piece.begin, piece.size()), *linked, is_relocated);
  if (!alignment) return changed("the code differs");
  parts_[index].places = std::move(alignment->places);
  Judgement result;
  for (const Stretch& each : alignment->stretches) {
    if (result.verdict == Verdict::changed) break;
    const Piece stretch{piece.section, piece.begin + each.begin, piece.begin + each.end};
    result = worse(std::move(result), compare_piece(stretch, address + each.linked));
  }
  for (const Jump& each : alignment->jumps)
    if (result.verdict != Verdict::changed) result = worse(std::move(result), judge_jump(index, each));
  return result;
}

Judgement Match::judge_jump(std::size_t index, const Jump& jump) {
  const Piece piece = parts_[index].piece;
  const Piece bytes{piece.section, piece.begin + jump.begin, piece.begin + jump.end};
  const std::span<const Relocation> relocations = object_.relocations_of(bytes);
  if (relocations.empty()) {
    if (jump.target > piece.size()) return unknown("it jumps out of its section without a relocation");
    own_uses_.push_back({index, jump.target, jump.linked_target});
    return {};
  }
  const std::uint64_t target = parts_[index].address + jump.linked_target;
  const std::uint64_t field = target - static_cast<std::uint64_t>(relocations.front().bias);
  return judge(bytes, relocations.front(),
               {Kind::address, field - static_cast<std::uint64_t>(relocations.front().addend)});
}

Judgement Match::check_own_uses() const {
  const bool all_lead_there = std::ranges::all_of(
      own_uses_, [&](const OwnUse& use) { return parts_[use.part].is_at(use.offset, use.linked_offset); });
  return all_lead_there ? Judgement{} : changed("it leads elsewhere in the function");
}

const ObjectSymbol* Match::cold_part() const {
  if (function_ == nullptr) return nullptr;
  for (const std::size_t index : function_->symbols)
    if (const ObjectSymbol* const cold = object_.cold_part_of(object_.symbols()[index].name)) return cold;
  return nullptr;
}

/// True when the program has the cold part at `address`, by the object's name for it.
bool Match::bind_cold_part(const ObjectSymbol& cold, std::uint64_t address) {
  const LinkedSymbol* const linked = named_at(cold.name, address, false, true);
  if (linked == nullptr) return false;
  parts_.push_back({{cold.section, cold.value, cold.value + cold.size}, address, linked->size});
  return true;
}

/// Nothing but the exception table leads to a cold part that only cleans up: then it is found by its name.
Judgement Match::compare_cold_part() {
  const ObjectSymbol* const cold = cold_part();
  if (cold == nullptr) return {};
  for (const std::size_t each : program_.named(cold->name)) {
    if (parts_.size() > 1) break;
    const LinkedSymbol& linked = program_.symbols()[each];
    if (is_shared_ || is_from_unit(linked)) bind_cold_part(*cold, linked.address);
  }
  if (parts_.size() < 2) return changed("its unlikely part is not in the program");
  Judgement judgement = compare_part(1);
  if (judgement.verdict != Verdict::same) judgement.reason = "in its unlikely part, " + judgement.reason;
  return judgement;
}

/// What exceptions do in this part of the function.
Judgement Match::compare_handlers(const Part& part) {
  const auto in_object = exception_tables_.find({part.piece.section, part.piece.begin});
  const std::optional<std::uint64_t> in_program = program_.exception_table_of(part.address);
  const bool has_table = in_object != exception_tables_.end();
  if (has_table != in_program.has_value()) return changed("it handles exceptions otherwise");
  if (!has_table) return {};
  const auto& [section, offset] = in_object->second;
  const std::span<const std::uint8_t> bytes = object_.sections()[section].bytes;
  const std::optional<Handlers> handlers = read_handlers(bytes.subspan(std::min(offset, bytes.size())));
  const std::optional<Handlers> linked = read_handlers(program_.bytes_from(*in_program));
  if (!handlers || !linked) return unknown("its exception table cannot be read");
  const bool are_same_calls =
      std::ranges::equal(handlers->calls, linked->calls, [&](const GuardedCalls& a, const GuardedCalls& b) {
        const bool is_same_pad = a.landing_pad == 0 ? b.landing_pad == 0 : part.is_at(a.landing_pad, b.landing_pad);
        return is_same_pad && part.is_at(a.begin, b.begin) && part.is_at(a.end, b.end);
      });
  if (!are_same_calls || handlers->numbers != linked->numbers || handlers->types.size() != linked->types.size())
    return changed("it handles exceptions otherwise");
  for (std::size_t i = 0; i < handlers->types.size(); ++i) {
    const std::uint64_t begin = offset + handlers->types[i];
    Judgement type = compare_piece({section, begin, begin + handlers->type_size}, *in_program + linked->types[i]);
    if (type.verdict == Verdict::changed) return changed("it catches another type");
    if (type.verdict == Verdict::unknown) return unknown("in its exception table, " + type.reason);
  }
  return {};
}

Judgement Match::compare_piece(const Piece& piece, std::uint64_t address) {
  const auto linked = program_.bytes(address, piece.size());
  const std::span<const std::uint8_t> whole = object_.section(piece).bytes;
  if (whole.empty() && piece.size() > 0) return unknown("it refers to memory that is zero at the start");
  if (!linked) return changed("it leads beyond what the program has in its file");
  const PlacedPiece placed{whole.subspan(piece.begin, piece.size()), *linked, address};
  const char* const difference = object_.section(piece).is_code() ? "the code differs" : "the content differs";
  std::uint64_t compared = 0;  // up to there
  Judgement result;
  for (const Relocation& relocation : object_.relocations_of(piece)) {
    const std::uint64_t offset = relocation.offset - piece.begin;
    if (relocation.type == R_X86_64_NONE) continue;
    if (offset < compared) {  // the call in a thread-local access, which was read as a whole
      if (object_.symbols()[relocation.symbol].name == "__tls_get_addr") continue;
      return at(offset, changed(difference));
    }
    if (field_size(relocation.type) > piece.size() - offset) return at(offset, unknown("a field lies beyond its end"));
    const LinkedField field = read_field(relocation, offset, placed, program_);
    const auto place = first_difference(placed, compared, std::max(field.begin, compared));
    if (place || field.form == LinkedField::Form::different) return at(place.value_or(offset), changed(difference));
    if (field.form == LinkedField::Form::unknown) return at(offset, unknown(field.reason));
    compared = std::max(compared, field.end);
    if (field.form == LinkedField::Form::read)
      result = worse(std::move(result), at(offset, judge(piece, relocation, field.destination)));
    if (result.verdict == Verdict::changed) return result;
  }
  if (const auto place = first_difference(placed, compared, piece.size())) return at(*place, changed(difference));
  return result;
}

Judgement Match::judge(const Piece& piece, const Relocation& relocation, const Destination& destination) {
  const ObjectSymbol& symbol = object_.symbols()[relocation.symbol];
  const bool is_section = symbol.kind == SymbolKind::section;
  if (symbol.section == 0 || (!is_section && symbol.binding != Binding::local)) return judge_name(symbol, destination);
  if (is_import(destination))
    return changed("it uses " + shown(destination.import) + " of another library instead of " + shown(symbol.name));
  const ObjectSection& section = object_.sections()[symbol.section];
  const std::int64_t distance = is_section ? distance_in_section(piece, relocation) : 0;
  const std::int64_t exact = static_cast<std::int64_t>(symbol.value) + distance;
  const std::uint64_t place = clamped(exact, section.size);
  if (section.is_merged()) {
    // The linker has looked up the addend as it is.
    if (is_section && distance != relocation.addend) return unknown("it refers to a merged constant without a symbol");
    return judge_constant(object_.piece_at(symbol.section, place),
                          destination.value + static_cast<std::uint64_t>(distance));
  }
  const std::uint64_t section_address = destination.value - symbol.value;
  if (section.is_code()) return judge_code(symbol.section, exact, section_address);
  if (!section.is_constant()) return judge_variable(symbol.section, place, section_address);
  const Piece target = object_.piece_at(symbol.section, place);
  return judge_constant(target, section_address + target.begin);
}

/// How far from the beginning of its section the relocation's target is. A table of relative places, in data, counts
/// from the table's beginning.
std::int64_t Match::distance_in_section(const Piece& piece, const Relocation& relocation) const {
  const bool is_relative_data = relocation.type == R_X86_64_PC32 && !object_.section(piece).is_code();
  if (is_relative_data) return relocation.addend - static_cast<std::int64_t>(relocation.offset - piece.begin);
  return relocation.addend + relocation.bias;
}

/// The program's symbol of that name at that address. A local one must come from this unit, unless the function that
/// refers to it may come from any.
const LinkedSymbol* Match::named_at(std::string_view name, std::uint64_t address, bool is_thread_local,
                                    bool is_local) const {
  for (const std::size_t each : program_.at(address)) {
    const LinkedSymbol& linked = program_.symbols()[each];
    if (linked.name != name || (linked.kind == SymbolKind::thread_local_data) != is_thread_local) continue;
    if (linked.binding != Binding::local || (is_local && (is_shared_ || is_from_unit(linked)))) return &linked;
  }
  return nullptr;
}

std::string Match::names_at(const Destination& destination) const {
  if (is_import(destination)) return shown(destination.import);
  if (const auto stub = program_.target_of_stub(destination.value); stub && is_import(*stub))
    return shown(stub->import);
  for (const std::size_t each : program_.at(destination.value)) {
    const LinkedSymbol& linked = program_.symbols()[each];
    if ((linked.kind == SymbolKind::thread_local_data) == is_thread_local(destination)) return shown(linked.name);
  }
  return hex_text(destination.value);
}

Judgement Match::judge_name(const ObjectSymbol& symbol, const Destination& destination) const {
  const auto is_it = [&](const Destination& each) {
    if (is_import(each)) return each.import == symbol.name && each.value == 0;
    const bool is_nowhere = each.kind == Kind::address && each.value == 0;
    if (is_nowhere && symbol.binding == Binding::weak && symbol.section == 0) return true;
    return named_at(symbol.name, each.value, is_thread_local(each), false) != nullptr;
  };
  if (is_it(destination)) return {};
  if (destination.kind == Kind::address)
    if (const auto stub = program_.target_of_stub(destination.value); stub && is_it(*stub)) return {};
  return changed("it uses " + shown(symbol.name) + " instead of " + names_at(destination));
}

Judgement Match::judge_code(std::size_t section, std::int64_t place, std::uint64_t section_address) {
  const std::uint64_t target = section_address + static_cast<std::uint64_t>(place);  // in the program
  const std::uint64_t inside = clamped(place, object_.sections()[section].size);
  const ObjectSymbol* const cold = cold_part();
  const bool is_cold = cold != nullptr && cold->section == section && inside - cold->value < cold->size;
  const bool is_bound = parts_.size() > 1;
  if (is_cold && !is_bound && !bind_cold_part(*cold, section_address + cold->value))
    return changed("its unlikely part is elsewhere");
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    if (part.piece.section != section || !part.piece.contains(inside)) continue;
    own_uses_.push_back({i, static_cast<std::uint64_t>(place) - part.piece.begin, target - part.address});
    return {};
  }
  const ObjectSymbol* const symbol = object_.symbol_at(section, inside);
  if (symbol == nullptr) return unknown("it refers to code without a name");
  return judge_local(*symbol, section_address + symbol->value);
}

Judgement Match::judge_variable(std::size_t section, std::uint64_t place, std::uint64_t section_address) {
  const ObjectSymbol* const symbol = object_.symbol_at(section, place);
  // A pointer that the compiler keeps for itself: clang's to the types that handlers catch.
  if (symbol == nullptr) {
    const Piece piece = object_.piece_at(section, place);
    return judge_constant(piece, section_address + piece.begin);
  }
  return judge_local(*symbol, section_address + symbol->value);
}

Judgement Match::judge_local(const ObjectSymbol& symbol, std::uint64_t address) {
  const bool of_thread = symbol.kind == SymbolKind::thread_local_data;
  const LinkedSymbol* linked = named_at(symbol.name, address, of_thread, symbol.binding == Binding::local);
  if (linked == nullptr) linked = renumbered_at(symbol, address);
  if (linked != nullptr && is_paired(symbol, *linked)) return {};
  return changed("it uses " + shown(symbol.name) + " instead of " +
                 names_at({of_thread ? Kind::thread_local_offset : Kind::address, address}));
}

/// The program's variable at `address` whose name differs from the symbol's in its number alone.
const LinkedSymbol* Match::renumbered_at(const ObjectSymbol& symbol, std::uint64_t address) const {
  const std::string_view stem = without_number(symbol.name);
  if (stem == symbol.name || symbol.kind == SymbolKind::function) return nullptr;
  for (const std::size_t each : program_.at(address)) {
    const LinkedSymbol& linked = program_.symbols()[each];
    const bool is_alike = linked.kind == symbol.kind && linked.size == symbol.size && is_from_unit(linked) &&
                          linked.name != stem && without_number(linked.name) == stem;
    if (is_alike) return &linked;
  }
  return nullptr;
}

/// A numbered variable is one and the same of the program's in all of the object.
bool Match::is_paired(const ObjectSymbol& symbol, const LinkedSymbol& linked) {
  if (without_number(symbol.name) == symbol.name || !is_from_unit(linked)) return true;
  return pairs_.emplace(&symbol, &linked).first->second == &linked &&
         pairs_back_.emplace(&linked, &symbol).first->second == &symbol;
}

Judgement Match::judge_constant(const Piece& piece, std::uint64_t address) {
  const auto [found, is_first] = constants_.try_emplace({piece, address});
  if (!is_first) return found->second;
  Judgement judgement = compare_piece(piece, address);
  if (judgement.verdict == Verdict::changed) judgement.reason = "a constant or text that it uses differs";
  return constants_[{piece, address}] = judgement;
}

}  // namespace moult::internal::diff
