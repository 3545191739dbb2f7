// Why: the first bytes of a function may be overwritten only under two conditions. Nothing executes them from somewhere
// in the middle, only calls of the function do. And the bytes belong to the function or to no function.
//
// How: the whole function, with its fragments, is decoded from end to end. The room for the jump begins at the jump's
// place. It ends at the first byte where one of the function's own branches lands, or behind the function's bytes and
// padding. Jump tables are read: if a function with an indirect jump computes an address, the words there that lead
// into the function count as the table's entries. They have 4 bytes (relative to the table) or 8 bytes (absolute).
//
// Limits: some branches into the first bytes are not seen: from another function, or by an address that is computed in
// another way (a label kept as a value in data, a table found by arithmetic). Compilers produce neither for C++. Data
// between instructions is decoded as code, and the function is then mostly refused. A debugger's breakpoint elsewhere
// in the function hides the instruction under it.
#include "code/entry_plan.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/address.hpp"
#include "code/decoder.hpp"
#include "code/jump_table.hpp"
#include "moult/error.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t most_room = 16;

/// The result of one pass over the function's instructions.
struct Sweep {
  std::vector<CodeAddress> jump_targets;
  std::vector<CodeAddress> call_targets;
  std::vector<std::uintptr_t> tables;
  std::vector<CodeAddress> breakpoints;
  bool has_indirect_jump = false;
};

std::string at_offset(const FunctionCode& function, CodeAddress address) {
  return function.name + "+" + hex_text(value(address) - value(function.body.begin));
}

[[noreturn]] void refuse_breakpoint(const FunctionCode& function, CodeAddress at) {
  throw Error(ErrorCode::unsupported_code,
              at_offset(function, at) +
                  ": there is a breakpoint (int3) in the bytes to be patched; delete it in the "
                  "debugger, which would put its old byte back over the patch, and try again");
}

[[noreturn]] void refuse_undecodable(const FunctionCode& function, CodeAddress at, const Sweep& sweep) {
  std::string hint = sweep.breakpoints.empty()
                         ? "; if it is hand-written assembly, keep data out of it or redefine its callers instead"
                         : "; a debugger's breakpoint hides the code, delete it and try again";
  throw Error(ErrorCode::unsupported_code, at_offset(function, at) + ": the bytes are no known instruction" + hint);
}

void note(const Instruction& instruction, CodeAddress at, Sweep& sweep) {
  if (instruction.table) sweep.tables.push_back(*instruction.table);
  switch (instruction.kind) {
    case InstructionKind::direct_jump: sweep.jump_targets.push_back(*instruction.target); break;
    case InstructionKind::direct_call: sweep.call_targets.push_back(*instruction.target); break;
    case InstructionKind::indirect_jump: sweep.has_indirect_jump = true; break;
    case InstructionKind::breakpoint: sweep.breakpoints.push_back(at); break;
    case InstructionKind::other:
    case InstructionKind::nop:
    case InstructionKind::endbr64: break;
  }
}

void sweep_fragment(const FunctionCode& function, const CodeBytes& fragment, Sweep& sweep) {
  for (std::size_t offset = 0; offset < fragment.bytes.size();) {
    CodeAddress at = fragment.begin + offset;
    std::optional<Instruction> instruction = decode(fragment.bytes.subspan(offset), at);
    if (!instruction) refuse_undecodable(function, at, sweep);
    note(*instruction, at, sweep);
    offset += instruction->length;
  }
}

bool is_own_code(const FunctionCode& function, CodeAddress address) {
  if (function.body.range().contains(address)) return true;
  return std::any_of(function.fragments.begin(), function.fragments.end(),
                     [&](const CodeBytes& fragment) { return fragment.range().contains(address); });
}

Sweep sweep_function(const FunctionCode& function) {
  Sweep sweep;
  sweep_fragment(function, function.body, sweep);
  for (const CodeBytes& fragment : function.fragments) sweep_fragment(function, fragment, sweep);
  if (!sweep.has_indirect_jump) return sweep;
  for (std::uintptr_t table : sweep.tables) {
    CodeAddress label{table};  // of a computed goto
    if (label != function.body.begin && is_own_code(function, label)) sweep.jump_targets.push_back(label);
    const auto read = [&](std::uintptr_t address, std::span<std::uint8_t> to) {
      return function.read && function.read(address, to);
    };
    add_table_targets(
        table, read, [&](CodeAddress target) { return is_own_code(function, target); }, sweep.jump_targets);
  }
  return sweep;
}

/// The number of bytes behind the body that are whole instructions without effect.
std::size_t padding_behind(const FunctionCode& function) {
  CodeAddress end = function.body.range().end;
  std::size_t wanted = std::min(function.after.size(), static_cast<std::size_t>(-value(end) % 16));
  std::size_t length = 0;
  while (length < wanted) {
    std::optional<Instruction> filler = decode(function.after.subspan(length, wanted - length), end + length);
    if (!filler) break;
    if (filler->kind != InstructionKind::nop && filler->kind != InstructionKind::breakpoint) break;
    length += filler->length;
  }
  return length;
}

std::string too_short_text(const FunctionCode& function, std::size_t room, std::size_t least) {
  return function.name + ": its code has room for " + std::to_string(room) + " of the " + std::to_string(least) +
         " bytes that the entry jump takes; redefine its callers instead, or build it with -falign-functions=16";
}

void end_room_at(CodeAddress address, EntryPlan& plan) {
  if (CodeRange{plan.place + 1, plan.place + plan.room}.contains(address))
    plan.room = value(address) - value(plan.place);
}

}  // namespace

std::size_t endbr64_length(const CodeBytes& body) {
  std::size_t offset = 0;
  while (offset < body.bytes.size()) {
    std::optional<Instruction> instruction = decode(body.bytes.subspan(offset), body.begin + offset);
    if (!instruction || instruction->kind != InstructionKind::endbr64) break;
    offset += instruction->length;
  }
  return offset;
}

EntryPlan plan_entry(const FunctionCode& function, std::size_t least) {
  std::size_t skipped = endbr64_length(function.body);
  EntryPlan plan;
  plan.place = function.body.begin + skipped;
  plan.room = function.body.bytes.size() - skipped;
  if (function.body.bytes.empty())
    throw Error(ErrorCode::too_short, function.name + ": its symbol gives it no size; add .size to the assembly");
  if (plan.room < most_room) plan.room += padding_behind(function);
  plan.room = std::min(plan.room, most_room);
  if (plan.room < least) throw Error(ErrorCode::too_short, too_short_text(function, plan.room, least));

  Sweep sweep = sweep_function(function);
  for (CodeAddress breakpoint : sweep.breakpoints) {
    if (CodeRange{plan.place, plan.place + least}.contains(breakpoint)) refuse_breakpoint(function, breakpoint);
    end_room_at(breakpoint, plan);
  }
  for (CodeAddress target : sweep.jump_targets) end_room_at(target, plan);
  for (CodeAddress target : sweep.call_targets) end_room_at(target, plan);
  plan.is_loop_head = std::any_of(sweep.jump_targets.begin(), sweep.jump_targets.end(), [&](CodeAddress target) {
    return function.body.begin <= target && target <= plan.place;
  });
  if (plan.room < least)
    throw Error(ErrorCode::unsupported_code, at_offset(function, plan.place + plan.room) +
                                                 ": a branch of the function lands inside the bytes that the entry "
                                                 "jump takes; redefine its callers instead");
  return plan;
}

}  // namespace moult::internal
