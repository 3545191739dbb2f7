// The stacks of all threads as they stand at one moment. Frames are collected in the stopped program and named after it
// runs again: names need debug information, which takes its time.
#include <chrono>
#include <fstream>

#include "alterability/static_points.hpp"
#include "control/native.hpp"
#include "symbols/program.hpp"
#include "threads/stopped_world.hpp"

namespace moult::control {
namespace {

using protocol::FrameRecord;
using protocol::ThreadRecord;
using protocol::ThreadsReply;

constexpr std::size_t most_frames = 1000;

struct Stack {
  ThreadId thread{};
  std::vector<threads::Frame> frames;
  std::string point;
};

std::vector<Stack> stacks_of_others() {
  std::vector<Stack> stacks;
  const std::unique_ptr<threads::StoppedWorld> stopped =
      threads::StoppedWorld::stop({.timeout = std::chrono::milliseconds(2000), .keep_out = {}});
  for (const ThreadId thread : stopped->threads()) {
    if (thread == this_thread_id()) continue;
    std::vector<threads::Frame>& frames =
        stacks.emplace_back(Stack{thread, {}, alterability::point_of(thread).value_or("")}).frames;
    stopped->walk(thread, [&](const threads::Frame& frame) {
      frames.push_back(frame);
      return frames.size() < most_frames;
    });
  }
  return stacks;
}

std::string name_of_thread(ThreadId thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(static_cast<int>(thread)) + "/comm");
  std::string name;
  std::getline(file, name);
  return name;
}

void add_module(FrameRecord& record, const symbols::Program& program, CodeAddress address) {
  for (const symbols::Module& module : program.modules()) {
    if (!module.text.contains(address)) continue;
    record.module = module.path;
    record.offset = value(address) - module.bias;
  }
}

FrameRecord describe(const threads::Frame& frame, const symbols::Program& program) {
  FrameRecord record;
  record.precise = frame.is_precise;
  add_module(record, program, frame.pc);
  const CodeAddress address = frame.lookup_address();
  if (const std::optional<symbols::FunctionSymbol> function = program.at(address)) {
    record.function = function->demangled;
    if (!function->demangled.empty() && function->range.contains(address))
      record.offset = value(frame.pc) - value(function->range.begin);
  }
  if (const std::optional<symbols::SourceLine> line = program.line_of(address)) {
    record.file = line->file;
    record.line = line->line;
  }
  return record;
}

}  // namespace

ThreadsReply native_threads() {
  const std::vector<Stack> stacks = stacks_of_others();
  ThreadsReply reply;
  const symbols::Program program = symbols::Program::of_this_process();
  for (const Stack& stack : stacks) {
    ThreadRecord record{static_cast<std::int64_t>(stack.thread), name_of_thread(stack.thread), {}, stack.point};
    for (const threads::Frame& frame : stack.frames) record.frames.push_back(describe(frame, program));
    reply.threads.push_back(std::move(record));
  }
  return reply;
}

}  // namespace moult::control
