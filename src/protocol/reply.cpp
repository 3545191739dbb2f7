#include "protocol/reply.hpp"

#include <array>
#include <utility>

#include "protocol/json_members.hpp"
#include "protocol/json_writer.hpp"

namespace moult::internal {
namespace {

constexpr std::array<std::pair<UpdateState, std::string_view>, 7> states{{
    {UpdateState::queued, "queued"},
    {UpdateState::active, "active"},
    {UpdateState::applied, "applied"},
    {UpdateState::refused, "refused"},
    {UpdateState::failed, "failed"},
    {UpdateState::aborted, "aborted"},
    {UpdateState::rolled_back, "rolled_back"},
}};

}  // namespace

// ---- values to JSON ----

static void put(JsonWriter& json, const VariableRecord& variable) {
  json.object([&] {
    json.member("name", variable.name);
    json.member("type", variable.type);
    json.member("where", variable.where);
    if (variable.parameter) json.member("parameter", true);
    if (!variable.value.empty()) json.member("value", variable.value);
  });
}

static void put(JsonWriter& json, const Failure& failure) {
  json.object([&] {
    json.member("code", name_of(failure.code));
    json.member("message", failure.message);
  });
}

static void put_members(JsonWriter& json, const UpdateReport& report) {
  json.member("id", report.id);
  json.member("name", report.name);
  json.member("manager", report.manager);
  json.member("state", state_text(report.state));
  if (report.code) json.member("code", name_of(*report.code));
  if (!report.reason.empty()) json.member("reason", report.reason);
  json.member("postponements", report.postponements);
  json.member("changes", report.changes);
  json.member("pause_ns", report.pause.count());
  json.member("all_pauses_ns", report.all_pauses.count());
  json.member("threads", report.threads);
}

static void put(JsonWriter& json, const UpdateReport& report) {
  json.object([&] { put_members(json, report); });
}

namespace {

/// With what it was made from; null: not known.
struct ReportWithOrigin {
  const UpdateReport* report = nullptr;
  const PatchRecord* patch = nullptr;
  const TreeRecord* tree = nullptr;
};

template <class Record>
const Record* record_of(const std::map<std::uint64_t, Record>& records, std::uint64_t update) {
  const auto found = records.find(update);
  return found == records.end() ? nullptr : &found->second;
}

}  // namespace

static void put(JsonWriter& json, const PatchRecord& patch) {
  json.object([&] {
    json.member("name", patch.name);
    json.member("sha256", patch.sha256);
  });
}

static void put(JsonWriter& json, const TreeRecord& tree) {
  json.object([&] {
    json.member("time", tree.time);
    json.member("files", tree.files);
  });
}

static void put(JsonWriter& json, const ReportWithOrigin& update) {
  json.object([&] {
    put_members(json, *update.report);
    if (update.patch != nullptr) json.member("patch", *update.patch);
    if (update.tree != nullptr) json.member("tree", *update.tree);
  });
}

static void put(JsonWriter& json, const FrameRecord& frame) {
  json.object([&] {
    json.member("function", frame.function);
    json.member("module", frame.module);
    json.member("offset", frame.offset);
    if (!frame.file.empty()) {
      json.member("file", frame.file);
      json.member("line", frame.line);
    }
    json.member("precise", frame.precise);
    if (frame.inlined) json.member("inlined", true);
    if (!frame.locals.empty()) json.member("locals", frame.locals);
  });
}

static void put(JsonWriter& json, const ThreadRecord& thread) {
  json.object([&] {
    json.member("id", thread.id);
    json.member("name", thread.name);
    json.member("frames", thread.frames);
    if (!thread.point.empty()) json.member("point", thread.point);
  });
}

static void put(JsonWriter& json, const FunctionRecord& function) {
  json.object([&] {
    json.member("name", function.name);
    json.member("module", function.module);
    json.member("size", function.size);
    json.member("redefined", function.redefined);
  });
}

static void put(JsonWriter& json, const HeldRecord& held) {
  json.object([&] {
    json.member("class", held.class_name);
    json.member("live", held.live);
    json.member("object_size", held.object_size);
  });
}

static void put(JsonWriter& json, const PoolRecord& pool) {
  json.object([&] {
    json.member("class", pool.class_name);
    json.member("of_subclass", pool.of_subclass);
    json.member("held", pool.held);
    json.member("slot_size", pool.slot_size);
    json.member("reserved", pool.reserved);
    json.member("resident", pool.resident);
    json.member("metadata", pool.metadata);
  });
}

static void put(JsonWriter& json, const WaitingRecord& waiting) {
  json.object([&] {
    json.member("old_class", waiting.old_class);
    json.member("new_class", waiting.new_class);
    json.member("objects", waiting.objects);
    json.member("converted", waiting.converted);
    json.member("failed", waiting.failed);
    json.member("chunks", waiting.chunks);
    json.member("converted_chunks", waiting.converted_chunks);
    if (waiting.drained) json.member("drained", true);
  });
}

static void put(JsonWriter& json, const EventRecord& event) {
  json.object([&] {
    json.member("number", event.number);
    json.member("time", event.time);
    json.member("kind", event.kind);
    json.member("text", event.text);
    if (!event.manager.empty()) json.member("manager", event.manager);
    if (!event.update.empty()) json.member("update", event.update);
    if (event.update_id != 0) json.member("update_id", event.update_id);
    if (event.code) json.member("code", name_of(*event.code));
    if (!event.threads.empty()) json.member("threads", event.threads);
    if (event.pause.count() != 0) json.member("pause_ns", event.pause.count());
  });
}

namespace {

// ---- the members of a reply ----

bool is_ok(const Result& result) {
  if (const auto* const updates = std::get_if<UpdatesReply>(&result)) return !updates->failure;
  return !std::holds_alternative<Failure>(result);
}

void fill(JsonWriter& json, const Failure& failure) { json.member("error", failure); }

void fill(JsonWriter& json, const StatusReply& reply) {
  json.member("pid", reply.pid);
  json.member("program", reply.program);
  json.member("build_id", reply.build_id);
  json.member("moult", reply.moult);
  json.member("abi", reply.abi);
  json.member("threads", reply.threads);
  json.member("managers", reply.managers);
  std::vector<ReportWithOrigin> updates;
  for (const UpdateReport& each : reply.updates)
    updates.push_back({&each, record_of(reply.patches, each.id), record_of(reply.trees, each.id)});
  json.member("updates", updates);
  json.member("log_level", reply.log_level);
}

void fill(JsonWriter& json, const UpdatesReply& reply) {
  if (reply.failure) fill(json, *reply.failure);
  if (reply.file_refused) json.member("file_refused", true);
  if (reply.changed_directly) json.member("changed_directly", true);
  if (reply.code_ran) json.member("code_ran", true);
  if (reply.withdrawn) json.member("withdrawn", true);
  json.member("updates", reply.updates);
  if (reply.load_ms) json.member("load_ms", *reply.load_ms);
  if (!reply.warnings.empty()) json.member("warnings", reply.warnings);
}

void fill(JsonWriter& json, const ThreadsReply& reply) { json.member("threads", reply.threads); }
void fill(JsonWriter& json, const FunctionsReply& reply) {
  json.member("total", reply.total);
  json.member("functions", reply.functions);
}
void fill(JsonWriter& json, const ObjectsReply& reply) {
  json.member("pools", reply.pools);
  if (!reply.waiting.empty()) json.member("waiting", reply.waiting);
}
void fill(JsonWriter& json, const EventsReply& reply) { json.member("events", reply.events); }
void fill(JsonWriter&, const DoneReply&) {}

// ---- JSON to values ----

Json parse_object(std::string_view line) {
  Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) throw Error(ErrorCode::unreadable, "the program's reply is no JSON object");
  return json;
}

Members<Json> members_of(const Json& json) {
  if (!json.is_object()) throw Error(ErrorCode::unreadable, "the program's reply has something else for an object");
  return Members<Json>(json, ErrorCode::unreadable);
}

std::optional<ErrorCode> parse_code(const std::string& name) {
  for (int number = 0; number <= static_cast<int>(ErrorCode::superseded); ++number)
    if (name_of(static_cast<ErrorCode>(number)) == name) return static_cast<ErrorCode>(number);
  return std::nullopt;
}

UpdateState parse_state(const Members<Json>& members) {
  const std::string text = members.text("state", "queued");
  for (const auto& [state, name] : states)
    if (name == text) return state;
  members.fail("state", "the name of a state, not \"" + text + "\"");
}

std::vector<std::string> parse_texts(const Members<Json>& members, const char* name) {
  std::vector<std::string> texts;
  for (const Json& each : members.array(name)) {
    if (!each.is_string()) members.fail(name, "an array of strings");
    texts.push_back(each.get<std::string>());
  }
  return texts;
}

template <class T>
std::vector<T> parse_all(const Members<Json>& members, const char* name, T (*parse)(const Json&)) {
  std::vector<T> values;
  for (const Json& each : members.array(name)) values.push_back(parse(each));
  return values;
}

UpdateReport report_of(const Json& json) {
  const Members<Json> members = members_of(json);
  UpdateReport report;
  report.id = members.count("id", 0);
  report.name = members.text("name", "");
  report.manager = members.text("manager", "");
  report.state = parse_state(members);
  report.code = parse_code(members.text("code", ""));
  report.reason = members.text("reason", "");
  report.postponements = static_cast<int>(members.count("postponements", 0, 1'000'000'000));
  report.changes = parse_texts(members, "changes");
  report.pause = std::chrono::nanoseconds(members.integer("pause_ns", 0));
  report.all_pauses = std::chrono::nanoseconds(members.integer("all_pauses_ns", 0));
  report.threads = members.count("threads", 0);
  return report;
}

VariableRecord variable_of(const Json& json) {
  const Members<Json> members = members_of(json);
  return {members.text("name", ""), members.text("type", ""), members.flag("parameter", false),
          members.text("where", ""), members.text("value", "")};
}

FrameRecord frame_of(const Json& json) {
  const Members<Json> members = members_of(json);
  return {.function = members.text("function", ""),
          .module = members.text("module", ""),
          .offset = members.count("offset", 0),
          .file = members.text("file", ""),
          .line = static_cast<int>(members.count("line", 0, 1'000'000'000)),
          .precise = members.flag("precise", true),
          .inlined = members.flag("inlined", false),
          .locals = parse_all(members, "locals", variable_of)};
}

ThreadRecord thread_of(const Json& json) {
  const Members<Json> members = members_of(json);
  return {members.integer("id", 0), members.text("name", ""), parse_all(members, "frames", frame_of),
          members.text("point", "")};
}

FunctionRecord function_of(const Json& json) {
  const Members<Json> members = members_of(json);
  return {members.text("name", ""), members.text("module", ""), members.count("size", 0),
          members.flag("redefined", false)};
}

HeldRecord held_of(const Json& json) {
  const Members<Json> members = members_of(json);
  return {members.text("class", ""), members.count("live", 0), members.count("object_size", 0)};
}

PoolRecord pool_of(const Json& json) {
  const Members<Json> members = members_of(json);
  return {.class_name = members.text("class", ""),
          .of_subclass = members.flag("of_subclass", false),
          .held = parse_all(members, "held", held_of),
          .slot_size = members.count("slot_size", 0),
          .reserved = members.count("reserved", 0),
          .resident = members.count("resident", 0),
          .metadata = members.count("metadata", 0)};
}

WaitingRecord waiting_of(const Json& json) {
  const Members<Json> members = members_of(json);
  return {.old_class = members.text("old_class", ""),
          .new_class = members.text("new_class", ""),
          .objects = members.count("objects", 0),
          .converted = members.count("converted", 0),
          .failed = members.count("failed", 0),
          .chunks = members.count("chunks", 0),
          .converted_chunks = members.count("converted_chunks", 0),
          .drained = members.flag("drained", false)};
}

EventRecord event_of(const Json& json) {
  const Members<Json> members = members_of(json);
  EventRecord event;
  event.number = members.count("number", 0);
  event.time = members.number("time", 0);
  event.kind = members.text("kind", "");
  event.text = members.text("text", "");
  event.manager = members.text("manager", "");
  event.update = members.text("update", "");
  event.update_id = members.count("update_id", 0);
  event.code = parse_code(members.text("code", ""));
  event.threads = parse_texts(members, "threads");
  event.pause = std::chrono::nanoseconds(members.integer("pause_ns", 0));
  return event;
}

std::optional<Failure> failure_of(const Json& json) {
  const Members<Json> members = members_of(json);
  if (!members.has("ok")) members.fail("ok", "there");
  if (members.flag("ok", false)) return std::nullopt;
  if (!members.has("error")) return Failure{ErrorCode::internal, "the program gives no reason"};
  const Members<Json> error = members_of(json["error"]);
  return Failure{parse_code(error.text("code", "")).value_or(ErrorCode::internal), error.text("message", "")};
}

Json parse_success(std::string_view line) {
  Json json = parse_object(line);
  if (const std::optional<Failure> failure = failure_of(json)) throw Error(failure->code, failure->message);
  return json;
}

}  // namespace

std::string_view state_text(UpdateState state) noexcept {
  for (const auto& [each, name] : states)
    if (each == state) return name;
  return "unknown";
}

std::string format_reply(const std::string& id, const Result& result) {
  JsonWriter json;
  json.object([&] {
    json.member("ok", is_ok(result));
    if (!id.empty()) json.text_member("id", id);
    std::visit([&](const auto& reply) { fill(json, reply); }, result);
  });
  return std::move(json).text();
}

std::string format_notice(const std::string& text) {
  JsonWriter json;
  json.object([&] { json.member("notice", text); });
  return std::move(json).text();
}

std::optional<std::string> parse_notice(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || json.contains("ok") || !json.contains("notice") || !json["notice"].is_string())
    return std::nullopt;
  return json["notice"].get<std::string>();
}

std::string format_event(const EventRecord& event) {
  JsonWriter json;
  put(json, event);
  return std::move(json).text();
}

std::optional<Failure> parse_failure(std::string_view line) { return failure_of(parse_object(line)); }

StatusReply parse_status(std::string_view line) {
  const Json json = parse_success(line);
  const Members<Json> members = members_of(json);
  StatusReply reply;
  reply.pid = members.integer("pid", 0);
  reply.program = members.text("program", "");
  reply.build_id = members.text("build_id", "");
  reply.moult = members.text("moult", "");
  reply.abi = static_cast<int>(members.count("abi", 0, 1'000'000));
  reply.threads = members.count("threads", 0);
  reply.managers = parse_texts(members, "managers");
  reply.updates = parse_all(members, "updates", report_of);
  for (const Json& each : members.array("updates")) {
    const Members<Json> update = members_of(each);
    const std::uint64_t id = update.count("id", 0);
    if (update.has("patch")) {
      const Members<Json> patch = members_of(each["patch"]);
      reply.patches[id] = {patch.text("name", ""), patch.text("sha256", "")};
    }
    if (update.has("tree")) {
      const Members<Json> tree = members_of(each["tree"]);
      reply.trees[id] = {tree.count("time", 0), tree.count("files", 0)};
    }
  }
  reply.log_level = static_cast<int>(members.count("log_level", 0, 2));
  return reply;
}

UpdatesReply parse_updates(std::string_view line) {
  const Json json = parse_object(line);
  const Members<Json> members = members_of(json);
  UpdatesReply reply;
  reply.failure = failure_of(json);
  if (reply.failure && !members.has("updates")) throw Error(reply.failure->code, reply.failure->message);
  reply.file_refused = members.flag("file_refused", false);
  reply.changed_directly = members.flag("changed_directly", false);
  reply.code_ran = members.flag("code_ran", false);
  reply.withdrawn = members.flag("withdrawn", false);
  reply.updates = parse_all(members, "updates", report_of);
  if (members.has("load_ms")) reply.load_ms = members.number("load_ms", 0);
  reply.warnings = parse_texts(members, "warnings");
  return reply;
}

ThreadsReply parse_threads(std::string_view line) {
  const Json json = parse_success(line);
  return {parse_all(members_of(json), "threads", thread_of)};
}

FunctionsReply parse_functions(std::string_view line) {
  const Json json = parse_success(line);
  const Members<Json> members = members_of(json);
  FunctionsReply reply;
  reply.functions = parse_all(members, "functions", function_of);
  reply.total = members.count("total", reply.functions.size());
  return reply;
}

ObjectsReply parse_objects(std::string_view line) {
  const Json json = parse_success(line);
  const Members<Json> members = members_of(json);
  return {parse_all(members, "pools", pool_of), parse_all(members, "waiting", waiting_of)};
}

EventsReply parse_events(std::string_view line) {
  const Json json = parse_success(line);
  return {parse_all(members_of(json), "events", event_of)};
}

EventRecord parse_event(std::string_view line) { return event_of(parse_object(line)); }

}  // namespace moult::internal
