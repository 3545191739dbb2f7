// The commands that stop nothing: status, functions, objects, rollback; and the backend of this process.
#include "control/live.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>
#include <span>
#include <utility>

#include "base/event.hpp"
#include "base/folder.hpp"
#include "base/proc.hpp"
#include "code/patch.hpp"
#include "control/backend.hpp"
#include "control/update_copies.hpp"
#include "convert/lazy_conversion.hpp"
#include "elf/elf_file.hpp"
#include "lifecycle/update_registry.hpp"
#include "moult/load.hpp"
#include "moult/manager.hpp"
#include "platform/tasks.hpp"
#include "pools/live_objects.hpp"
#include "recipes/edit_origins.hpp"
#include "symbols/program.hpp"

namespace moult::internal {
namespace {

/// A main thread that has ended (pthread_exit) stays in the list until the process ends, and does not count.
std::size_t count_threads() {
  const std::size_t count = names_in("/proc/self/task").size();
  return task_status(own_process()).is_dead ? count - 1 : count;
}

/// Of the file that the process was started from; it may have been replaced since.
const std::string& own_build_id() {
  static const auto& id = *new std::string(build_id_of(proc::own_executable));
  return id;
}

/// Throws Error (not_found).
std::uint64_t id_of(const RollbackRequest& request) {
  if (const auto* const id = std::get_if<std::uint64_t>(&request.update)) return *id;
  if (const auto* const name = std::get_if<std::string>(&request.update)) return update_registry().newest(*name);
  const std::vector<std::uint64_t> applied = update_registry().applied();
  if (applied.empty()) throw Error(ErrorCode::not_found, "no update is applied; `moult status` lists all there were");
  return applied.front();
}

void add_report(UpdatesReply& reply, std::uint64_t id) {
  if (std::optional<UpdateReport> report = update_registry().report(id)) reply.updates.push_back(std::move(*report));
}

/// Those of the rollbacks: an update that is rolled back has no others left.
void add_warnings(UpdatesReply& reply) {
  for (const UpdateReport& report : reply.updates)
    reply.warnings.insert(reply.warnings.end(), report.warnings.begin(), report.warnings.end());
}

/// Waiting updates are withdrawn first: otherwise they would be applied while the others are rolled back. Stops at the
/// first update that cannot be undone, as it may build upon older ones.
UpdatesReply roll_back_all(std::chrono::milliseconds wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  UpdatesReply reply;
  std::vector<std::uint64_t> ids = update_registry().unsettled();
  std::ranges::reverse(ids);
  const auto undo = [&](std::uint64_t id) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    try {
      roll_back(id, std::max(left, std::chrono::milliseconds(0)));
    } catch (const Error& error) {
      const std::optional<UpdateReport> report = update_registry().report(id);
      const bool has_ended =
          report && is_ended(report->state) && report->state != UpdateState::applied && report->changes.empty();
      if (!has_ended) reply.failure = Failure{error.code(), error.what()};
    }
    add_report(reply, id);
    return !reply.failure;
  };
  for (const std::uint64_t id : ids)
    if (!undo(id)) return reply;
  for (const std::uint64_t id : update_registry().applied())
    if (!undo(id)) return reply;
  add_warnings(reply);
  return reply;
}

/// Has the reports say which of their changes a newer one hides.
void mark_shadowed(std::vector<UpdateReport>& reports) {
  for (const AppliedChange& change : applied_changes()) {
    if (!change.shadowed_by) continue;
    const auto report = std::ranges::find(reports, change.update, &UpdateReport::id);
    if (report == reports.end()) continue;
    const std::string by =
        *change.shadowed_by == 0 ? "a change outside of any update" : "update " + std::to_string(*change.shadowed_by);
    for (std::string& line : report->changes)
      if (line == change.line) line += " (shadowed by " + by + ")";
  }
}

std::string module_of(const Program& program, CodeAddress address) {
  for (const Module& module : program.modules())
    if (module.text.contains(address)) return module.path;
  return {};
}

/// By name: the program's own functions first, then libraries and updates, moult's last.
std::vector<FunctionSymbol> functions_in_order(const Program& program, const std::string& match) {
  std::error_code ignored;
  const std::string own = std::filesystem::read_symlink(proc::own_executable, ignored).string();
  const std::string moults = module_of(program, CodeAddress{reinterpret_cast<std::uintptr_t>(&live_functions)});
  const auto place = [&](const FunctionSymbol& function) {
    return function.module == own ? 0 : function.module == moults ? 2 : 1;
  };
  std::vector<FunctionSymbol> found = program.search(match, std::numeric_limits<std::size_t>::max());
  std::ranges::stable_sort(found, {}, place);
  return found;
}

}  // namespace

StatusReply live_status() {
  StatusReply reply;
  std::error_code ignored;
  reply.pid = ::getpid();
  reply.program = std::filesystem::read_symlink(proc::own_executable, ignored).string();
  reply.build_id = own_build_id();
  reply.moult = MOULT_VERSION;
  reply.abi = MOULT_ABI_VERSION;
  reply.threads = count_threads();
  reply.managers = internal::update_registry().manager_names();
  reply.updates = all_updates();
  mark_shadowed(reply.updates);
  for (auto& [update, origin] : origins_of_updates()) {
    if (origin.patch) reply.patches.emplace(update, PatchRecord{origin.patch->name, origin.patch->sha256});
    if (origin.tree) reply.trees.emplace(update, TreeRecord{origin.tree->time, origin.tree->files});
  }
  reply.log_level = static_cast<int>(event_log().level());
  return reply;
}

UpdatesReply live_roll_back(const RollbackRequest& request) {
  if (std::holds_alternative<AllUpdates>(request.update)) return roll_back_all(request.wait);
  const std::uint64_t id = id_of(request);
  roll_back(id, request.wait);
  delete_unneeded_copies();
  UpdatesReply reply;
  add_report(reply, id);
  add_warnings(reply);
  return reply;
}

FunctionsReply live_functions(const FunctionsRequest& request) {
  std::set<CodeAddress> redefined;
  for (const AppliedChange& change : applied_changes()) redefined.insert(change.function);
  FunctionsReply reply;
  const Program program = Program::of_this_process();
  const std::vector<FunctionSymbol> found = functions_in_order(program, request.match);
  reply.total = found.size();
  for (const FunctionSymbol& function : std::span(found).first(std::min(found.size(), request.most))) {
    reply.functions.push_back({.name = function.demangled,
                               .module = function.module,
                               .size = function.range.size(),
                               .redefined = redefined.contains(function.range.begin)});
  }
  return reply;
}

namespace {

PoolRecord to_record(const PoolStatistics& pool) {
  PoolRecord record{.class_name = pool.class_name,
                    .of_subclass = pool.is_of_subclass,
                    .held = {},
                    .slot_size = pool.slot_size,
                    .reserved = pool.reserved,
                    .resident = pool.resident,
                    .metadata = pool.metadata};
  for (const HeldObjects& held : pool.held) record.held.push_back({held.class_name, held.live, held.object_size});
  return record;
}

WaitingRecord to_record(const LazyConversion& conversion) {
  const LazyProgress progress = conversion.progress();
  return {.old_class = conversion.old_class().name.text(),
          .new_class = conversion.new_class().name.text(),
          .objects = progress.objects,
          .converted = progress.converted_objects,
          .failed = progress.failed_objects,
          .chunks = progress.chunks,
          .converted_chunks = progress.converted_chunks,
          .drained = conversion.is_drained()};
}

}  // namespace

ObjectsReply live_objects() {
  ObjectsReply reply;
  for (const PoolStatistics& pool : pool_statistics()) reply.pools.push_back(to_record(pool));
  for (const auto& each : LazyConversion::unfinished()) reply.waiting.push_back(to_record(*each));
  return reply;
}

namespace {

void set(const SetRequest& request) {
  if (request.log_path) event_log().set_path(*request.log_path);
  if (request.log_level) event_log().set_level(*request.log_level);
}

std::shared_ptr<void> on_event(std::function<void()> tell) {
  return event_log().subscribe([tell = std::move(tell)](const Event&) { tell(); });
}

}  // namespace

Backend live_backend() {
  Backend backend;
  backend.status = live_status;
  backend.update = live_update;
  backend.withdraw = withdraw_request;
  backend.check = live_check;
  backend.threads = live_threads;
  backend.functions = live_functions;
  backend.objects = live_objects;
  backend.roll_back = live_roll_back;
  backend.set = set;
  backend.events_since = [](std::uint64_t after) { return event_log().since(after); };
  backend.on_event = on_event;
  return backend;
}

}  // namespace moult::internal
