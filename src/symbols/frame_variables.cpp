// The entry of a function is the one with code at the address. Inside it we enter blocks and inlined functions with
// code at the address, and skip the others.
//
// A variable that was optimised away may be missing from the function's entry. It is in the abstract function's, and is
// listed without a place.
//
// A caller records, for each call, the content of the argument registers. That holds for the function that was called.
// If that function ended in a jump to another one, the record does not belong to the present one. So the call must name
// this very function, and the function must have no such jump, which the compiler asserts (DW_AT_call_all_tail_calls).
//
// Limits: a recorded argument that reads memory is not used, since the memory may have changed since the call.
#include "symbols/frame_variables.hpp"

#include <dwarf.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>
#include <utility>

#include "base/names.hpp"
#include "symbols/debug_info.hpp"
#include "symbols/die_attributes.hpp"
#include "symbols/inlined_copies.hpp"
#include "symbols/module_symbols.hpp"

namespace moult::internal {
namespace {

constexpr int deepest_scope = 300;  // only damaged files nest deeper

/// Code at an address, and its module's debug information.
struct CodePlace {
  const DebugInfo* info = nullptr;
  std::uintptr_t bias = 0;
  std::uint64_t in_file = 0;
  Dwarf_Die function{};
};

std::optional<CodePlace> place_of(const Program& program, CodeAddress address) {
  const std::optional<std::size_t> module = program.module_at(address);
  const ModuleSymbols* symbols = module ? program.symbols_of(*module) : nullptr;
  CodePlace place;
  place.info = symbols != nullptr ? symbols->debug_info() : nullptr;
  if (place.info != nullptr && place.info->lacks_supplementary_file()) place.info = nullptr;
  if (place.info == nullptr) return std::nullopt;
  place.bias = program.modules()[*module].bias;
  place.in_file = value(address) - place.bias;
  const std::optional<Dwarf_Die> function = place.info->function_at(place.in_file);
  if (!function) return std::nullopt;
  place.function = *function;
  return place;
}

std::string name_of(const Dwarf_Die& die) {
  const std::vector<Dwarf_Die> parts = parts_of(die);
  const std::string_view mangled = linkage_name_of(parts);
  if (!mangled.empty()) return demangle(std::string(mangled));
  return std::string(plain_name_of(die));
}

std::vector<CodeRange> ranges_of(Dwarf_Die die, std::uintptr_t bias) {
  std::vector<CodeRange> ranges;
  Dwarf_Addr base = 0;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  for (std::ptrdiff_t at = 0; (at = dwarf_ranges(&die, at, &base, &begin, &end)) > 0;)
    if (begin < end) ranges.push_back({CodeAddress{begin + bias}, CodeAddress{end + bias}});
  return ranges;
}

bool is_variable(Dwarf_Die& die) {
  const int tag = dwarf_tag(&die);
  if (tag != DW_TAG_formal_parameter && tag != DW_TAG_variable) return false;
  const bool is_made_up = tag == DW_TAG_variable && has_flag(die, DW_AT_artificial);
  return !is_made_up && !has_flag(die, DW_AT_declaration) && !plain_name_of(die).empty();
}

bool is_block(Dwarf_Die& die) {
  const int tag = dwarf_tag(&die);
  return tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

std::vector<std::byte> constant_of(Dwarf_Die die, std::uint64_t size) {
  Dwarf_Attribute attribute{};
  if (dwarf_attr_integrate(&die, DW_AT_const_value, &attribute) == nullptr) return {};
  Dwarf_Block block{};
  if (dwarf_formblock(&attribute, &block) == 0) {
    const auto* bytes = reinterpret_cast<const std::byte*>(block.data);
    return {bytes, bytes + block.length};
  }
  Dwarf_Sword number = 0;
  if (size == 0 || size > sizeof number || dwarf_formsdata(&attribute, &number) != 0) return {};
  const std::span<const std::byte> bytes = std::as_bytes(std::span<const Dwarf_Sword, 1>(&number, 1));
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

FrameVariable read_variable(Dwarf_Die die, std::uintptr_t bias, bool is_placed) {
  FrameVariable variable;
  variable.name = plain_name_of(die);
  variable.type = value_type_of(die);
  variable.is_parameter = dwarf_tag(&die) == DW_TAG_formal_parameter;
  variable.declared = declared_at(die);
  Dwarf_Attribute attribute{};
  if (is_placed && dwarf_attr_integrate(&die, DW_AT_location, &attribute) != nullptr) {
    const unsigned form = dwarf_whatform(&attribute);
    variable.has_list =
        form == DW_FORM_sec_offset || form == DW_FORM_loclistx || form == DW_FORM_data4 || form == DW_FORM_data8;
    variable.entries = location_entries(attribute, bias);
  }
  variable.constant = constant_of(die, variable.type.size);
  return variable;
}

std::optional<Dwarf_Die> abstract_origin_of(Dwarf_Die die) {
  Dwarf_Attribute attribute{};
  Dwarf_Die origin{};
  if (dwarf_formref_die(dwarf_attr(&die, DW_AT_abstract_origin, &attribute), &origin) == nullptr) return std::nullopt;
  return origin;
}

/// Adds the function's own variables that the entry with code omits.
void add_missing(const Dwarf_Die& function, std::uintptr_t bias, std::vector<FrameVariable>& variables) {
  const std::optional<Dwarf_Die> abstract = abstract_origin_of(function);
  if (!abstract) return;
  std::set<const void*> known;
  for_each_child(function, [&](Dwarf_Die& child) {
    if (const std::optional<Dwarf_Die> origin = abstract_origin_of(child)) known.insert(origin->addr);
  });
  for_each_child(*abstract, [&](Dwarf_Die& child) {
    if (is_variable(child) && !known.contains(child.addr))
      variables.push_back(read_variable(child, bias, dwarf_tag(&child) == DW_TAG_variable));
  });
}

/// Reads the functions and variables around one place of code.
class PlaceReader final {
 public:
  PlaceReader(std::uintptr_t bias, std::uint64_t in_file) : bias_(bias), in_file_(in_file) {}

  std::vector<FrameFunction> run(const Dwarf_Die& function) {
    functions_.push_back({name_of(function), false, {}, {}});
    enter(function, 0);
    add_missing(function, bias_, functions_.back().variables);
    std::reverse(functions_.begin(), functions_.end());
    return std::move(functions_);
  }

 private:
  void enter(const Dwarf_Die& scope, int depth) {
    if (depth > deepest_scope) return;
    const std::vector<CodeRange> ranges = ranges_of(scope, bias_);
    std::vector<FrameVariable> own;
    const std::size_t function = functions_.size() - 1;
    for_each_child(scope, [&](Dwarf_Die& child) {
      if (is_variable(child)) {
        own.push_back(read_variable(child, bias_, true));
        own.back().scope = ranges;
        own.back().depth = static_cast<std::size_t>(depth);
      } else if (is_block(child) && dwarf_haspc(&child, in_file_) > 0) {
        enter(child, depth + 1);
      } else if (dwarf_tag(&child) == DW_TAG_inlined_subroutine && dwarf_haspc(&child, in_file_) > 0) {
        enter_inlined(child, depth + 1);
      }
    });
    std::vector<FrameVariable>& all = functions_[function].variables;
    all.insert(all.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
  }

  void enter_inlined(const Dwarf_Die& copy, int depth) {
    const int line = static_cast<int>(number_of(copy, DW_AT_call_line).value_or(0));
    const std::size_t number = functions_.size();
    functions_.push_back({name_of(copy), true, {file_named_by(copy, DW_AT_call_file), line}, {}});
    enter(copy, depth);
    add_missing(copy, bias_, functions_[number].variables);
  }

  std::uintptr_t bias_;
  std::uint64_t in_file_;
  std::vector<FrameFunction> functions_;
};

void describe_function(const CodePlace& place, FrameDescription& described) {
  Dwarf_Die function = place.function;
  Dwarf_Attribute attribute{};
  if (dwarf_attr_integrate(&function, DW_AT_frame_base, &attribute) != nullptr)
    described.frame_base = location_entries(attribute, place.bias);
  const std::uint64_t entry = code_of(function).value_or(place.in_file);
  described.entry = described.body = CodeAddress{entry + place.bias};
  Dwarf_Addr* found = nullptr;
  const int count = dwarf_entry_breakpoints(&function, &found);
  const std::unique_ptr<Dwarf_Addr, decltype(&std::free)> breakpoints(found, &std::free);
  if (count > 0) {
    const Dwarf_Addr first = *std::min_element(found, found + count);
    described.body = CodeAddress{std::max<std::uint64_t>(first, entry) + place.bias};
  }
}

/// Compilers mark many places in a line as statement begins, so only the first counts.
void describe_lines(const CodePlace& place, FrameDescription& described) {
  const DebugUnit* unit = place.info->unit_at(place.in_file);
  if (unit == nullptr) return;
  Dwarf_Die skeleton = unit->skeleton;
  Dwarf_Lines* lines = nullptr;
  std::size_t count = 0;
  if (dwarf_getsrclines(&skeleton, &lines, &count) != 0) return;
  const std::vector<CodeRange> ranges = ranges_of(place.function, place.bias);
  int last = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Dwarf_Line* line = dwarf_onesrcline(lines, i);
    Dwarf_Addr address = 0;
    int number = 0;
    bool begins = false;
    if (dwarf_lineaddr(line, &address) != 0 || dwarf_lineno(line, &number) != 0 ||
        dwarf_linebeginstatement(line, &begins) != 0)
      continue;
    const CodeAddress code{address + place.bias};
    const bool is_own =
        std::any_of(ranges.begin(), ranges.end(), [code](const CodeRange& range) { return range.contains(code); });
    if (is_own) described.lines.push_back({code, number, begins && number != last});
    last = number;
  }
  if (const std::optional<SourceLine> first = place.info->line_of(place.in_file)) described.file = first->file;
}

const CodeLine* line_at(const FrameDescription& described, CodeAddress address) {
  const auto after = std::upper_bound(described.lines.begin(), described.lines.end(), address,
                                      [](CodeAddress wanted, const CodeLine& one) { return wanted < one.code; });
  return after != described.lines.begin() ? &*std::prev(after) : nullptr;
}

template <class Visit>
void for_each_variable(const Dwarf_Die& scope, std::size_t depth, Visit&& visit) {
  if (depth > deepest_scope) return;
  for_each_child(scope, [&](Dwarf_Die& child) {
    if (is_variable(child)) visit(child, scope, depth);
    if (is_block(child)) for_each_variable(child, depth + 1, visit);
  });
}

bool is_call(Dwarf_Die& die) {
  const int tag = dwarf_tag(&die);
  return tag == DW_TAG_call_site || tag == DW_TAG_GNU_call_site;
}

bool is_tail_call(const Dwarf_Die& call) {
  return has_flag(call, DW_AT_call_tail_call) || has_flag(call, DW_AT_GNU_tail_call);
}

/// True when the function makes no tail calls.
bool always_returns_itself(const Dwarf_Die& function) {
  constexpr unsigned words[] = {
      DW_AT_call_all_calls,     DW_AT_call_all_source_calls,     DW_AT_call_all_tail_calls,
      DW_AT_GNU_all_call_sites, DW_AT_GNU_all_source_call_sites, DW_AT_GNU_all_tail_call_sites};
  if (std::none_of(std::begin(words), std::end(words), [&](unsigned word) { return has_flag(function, word); }))
    return false;
  return visit_all(function, nullptr,
                   [](Dwarf_Die& die, const Dwarf_Die*) { return !is_call(die) || !is_tail_call(die); });
}

std::optional<std::uint64_t> return_address_of(Dwarf_Die call) {
  Dwarf_Attribute attribute{};
  Dwarf_Addr address = 0;
  for (const unsigned name : {DW_AT_call_return_pc, DW_AT_low_pc})
    if (dwarf_formaddr(dwarf_attr(&call, name, &attribute), &address) == 0) return address;
  return std::nullopt;
}

std::optional<Dwarf_Die> call_at(const CodePlace& caller, std::uint64_t return_address) {
  std::optional<Dwarf_Die> found;
  visit_all(caller.function, nullptr, [&](Dwarf_Die& die, const Dwarf_Die*) {
    if (is_call(die) && !is_tail_call(die) && return_address_of(die) == return_address) found = die;
    return !found;
  });
  return found;
}

bool calls(Dwarf_Die call, const Dwarf_Die& callee) {
  Dwarf_Attribute attribute{};
  Dwarf_Die origin{};
  for (const unsigned name : {DW_AT_call_origin, DW_AT_abstract_origin}) {
    if (dwarf_formref_die(dwarf_attr(&call, name, &attribute), &origin) == nullptr) continue;
    const std::vector<Dwarf_Die> named = parts_of(origin);
    const std::vector<Dwarf_Die> parts = parts_of(callee);
    const std::string_view shared = shared_name_of(parts);
    if (!shared.empty() && shared == shared_name_of(named)) return true;
    return std::any_of(parts.begin(), parts.end(), [&](const Dwarf_Die& part) {
      return std::any_of(named.begin(), named.end(), [&](const Dwarf_Die& one) { return one.addr == part.addr; });
    });
  }
  return false;
}

bool reads_memory(const LocationExpression& expression) {
  return std::any_of(expression.begin(), expression.end(), [](const LocationOperation& operation) {
    return operation.code == DW_OP_deref || operation.code == DW_OP_deref_size || operation.code == DW_OP_deref_type;
  });
}

std::optional<CallValue> read_call_value(Dwarf_Die parameter, std::uintptr_t bias) {
  Dwarf_Attribute place{};
  Dwarf_Attribute put{};
  const bool has_value = dwarf_attr(&parameter, DW_AT_call_value, &put) != nullptr ||
                         dwarf_attr(&parameter, DW_AT_GNU_call_site_value, &put) != nullptr;
  if (!has_value || dwarf_attr(&parameter, DW_AT_location, &place) == nullptr) return std::nullopt;
  const std::vector<LocationEntry> places = location_entries(place, bias);
  std::vector<LocationEntry> values = location_entries(put, bias);
  if (places.size() != 1 || values.size() != 1 || reads_memory(values.front().expression)) return std::nullopt;
  const std::optional<std::uint64_t> number = register_named_by(places.front().expression);
  if (!number) return std::nullopt;
  return CallValue{*number, std::move(values.front().expression)};
}

}  // namespace

std::string place_text(const FrameDescription& described, CodeAddress address) {
  const CodeLine* line = line_at(described, address);
  return line != nullptr && !described.file.empty() ? described.file + ":" + std::to_string(line->line)
                                                    : hex_text(value(address));
}

bool begins_statement(const FrameDescription& described, CodeAddress address) {
  // An address may have several rows; each of them counts.
  for (auto row = std::lower_bound(described.lines.begin(), described.lines.end(), address,
                                   [](const CodeLine&one, CodeAddress wanted) { return one.code < wanted; });
       row != described.lines.end() && row->code == address; ++row)
    if (row->begins) return true;
  return false;
}

std::optional<FrameDescription> describe_frame(const Program& program, CodeAddress address) {
  const std::optional<CodePlace> place = place_of(program, address);
  if (!place) return std::nullopt;
  FrameDescription described;
  describe_function(*place, described);
  described.functions = PlaceReader(place->bias, place->in_file).run(place->function);
  return described;
}

std::vector<FrameVariable> variables_named(const Program& program, CodeAddress address, std::string_view name,
                                           FrameDescription& described) {
  std::vector<FrameVariable> found;
  const std::optional<CodePlace> place = place_of(program, address);
  if (!place) return found;
  describe_function(*place, described);
  describe_lines(*place, described);
  described.functions.push_back({name_of(place->function), false, {}, {}});
  for_each_variable(place->function, 0, [&](const Dwarf_Die& die, const Dwarf_Die& scope, std::size_t depth) {
    if (plain_name_of(die) != name) return;
    found.push_back(read_variable(die, place->bias, true));
    found.back().scope = ranges_of(scope, place->bias);
    found.back().depth = depth;
  });
  std::vector<FrameVariable> missing;
  add_missing(place->function, place->bias, missing);
  for (FrameVariable& variable : missing) {
    if (variable.name != name) continue;
    variable.scope = ranges_of(place->function, place->bias);
    found.push_back(std::move(variable));
  }
  return found;
}

std::vector<std::string> variable_names(const Program& program, CodeAddress address) {
  const std::optional<CodePlace> place = place_of(program, address);
  std::vector<std::string> names;
  if (!place) return names;
  for_each_variable(place->function, 0, [&](const Dwarf_Die& die, const Dwarf_Die&, std::size_t) {
    std::string name(plain_name_of(die));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  });
  return names;
}

std::vector<CallValue> values_at_call(const Program& program, CodeAddress callee, CodeAddress return_address) {
  std::vector<CallValue> values;
  const std::optional<CodePlace> called = place_of(program, callee);
  const std::optional<CodePlace> caller = place_of(program, CodeAddress{value(return_address) - 1});
  if (!called || !caller || !always_returns_itself(called->function)) return values;
  const std::optional<Dwarf_Die> call = call_at(*caller, caller->in_file + 1);
  if (!call || !calls(*call, called->function)) return values;
  for_each_child(*call, [&](Dwarf_Die& child) {
    const int tag = dwarf_tag(&child);
    if (tag != DW_TAG_call_site_parameter && tag != DW_TAG_GNU_call_site_parameter) return;
    if (std::optional<CallValue> one = read_call_value(child, caller->bias)) values.push_back(std::move(*one));
  });
  return values;
}

}  // namespace moult::internal
