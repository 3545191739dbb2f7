// The stacks of all threads at one moment. The stop collects the frames; naming them needs debug information, which is
// slow, so it happens when the program runs again. For variables the stop copies the stacks.
#include <chrono>
#include <fstream>

#include "control/live.hpp"
#include "platform/x86_64/return_stubs.hpp"
#include "points/static_points.hpp"
#include "stacks/stack_reading.hpp"
#include "symbols/program.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t most_frames = 1000;

struct Stack {
  ThreadId thread{};
  std::vector<Frame> frames;
  std::string point;
};

std::vector<Stack> stacks_of_others() {
  std::vector<Stack> stacks;
  const std::unique_ptr<StoppedWorld> stopped =
      StoppedWorld::stop({.timeout = std::chrono::milliseconds(2000), .keep_out = {}});
  for (const ThreadId thread : stopped->threads()) {
    if (thread == this_thread_id()) continue;
    std::vector<Frame>& frames = stacks.emplace_back(Stack{thread, {}, point_of(thread).value_or("")}).frames;
    stopped->walk(thread, [&](const Frame& frame) {
      if (!is_in_return_stub(frame.pc)) frames.push_back(frame);
      return frames.size() < most_frames;
    });
  }
  return stacks;
}

std::vector<StackCopy> copies_of_others() {
  std::vector<StackCopy> copies;
  const std::unique_ptr<StoppedWorld> stopped =
      StoppedWorld::stop({.timeout = std::chrono::milliseconds(2000), .keep_out = {}});
  for (const ThreadId thread : stopped->threads())
    if (thread != this_thread_id()) copies.push_back(StackCopy::of(*stopped, thread, most_frames));
  return copies;
}

std::string name_of_thread(ThreadId thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(static_cast<int>(thread)) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

void add_module(FrameRecord& record, const Program& program, CodeAddress address) {
  for (const Module& module : program.modules()) {
    if (!module.text.contains(address)) continue;
    record.module = module.path;
    record.offset = value(address) - module.bias;
  }
}

FrameRecord describe(const Frame& frame, const Program& program) {
  FrameRecord record;
  record.precise = frame.is_precise;
  add_module(record, program, frame.pc);
  const CodeAddress address = frame.lookup_address();
  if (const std::optional<FunctionSymbol> function = program.at(address)) {
    record.function = function->demangled;
    if (!function->demangled.empty() && function->range.contains(address))
      record.offset = value(frame.pc) - value(function->range.begin);
  }
  if (const std::optional<SourceLine> line = program.own_line_of(address)) {
    record.file = line->file;
    record.line = line->line;
  }
  return record;
}

FrameRecord describe(const StackFrame& frame, const Program& program) {
  FrameRecord record;
  record.precise = frame.is_precise;
  record.inlined = frame.is_inlined;
  record.function = frame.function;
  record.file = frame.file;
  record.line = frame.line;
  add_module(record, program, CodeAddress{frame.code});
  const std::optional<FunctionSymbol> function = program.at(CodeAddress{frame.code});
  if (function && !function->demangled.empty() && function->range.contains(CodeAddress{frame.code}))
    record.offset = frame.code - value(function->range.begin);
  for (const StackVariable& variable : frame.variables)
    record.locals.push_back({variable.name, variable.type, variable.is_parameter, variable.where, variable.value});
  return record;
}

ThreadsReply threads_with_locals() {
  const std::vector<StackCopy> copies = copies_of_others();
  ThreadsReply reply;
  const Program program = Program::of_this_process();
  for (const StackCopy& copy : copies) {
    ThreadRecord record{static_cast<std::int64_t>(copy.thread()), name_of_thread(copy.thread()), {}};
    for (const StackFrame& frame : describe_stack(program, copy)) record.frames.push_back(describe(frame, program));
    reply.threads.push_back(std::move(record));
  }
  return reply;
}

}  // namespace

ThreadsReply live_threads(const ThreadsRequest& request) {
  if (request.locals) return threads_with_locals();
  const std::vector<Stack> stacks = stacks_of_others();
  ThreadsReply reply;
  const Program program = Program::of_this_process();
  for (const Stack& stack : stacks) {
    ThreadRecord record{static_cast<std::int64_t>(stack.thread), name_of_thread(stack.thread), {}, stack.point};
    for (const Frame& frame : stack.frames) record.frames.push_back(describe(frame, program));
    reply.threads.push_back(std::move(record));
  }
  return reply;
}

}  // namespace moult::internal
