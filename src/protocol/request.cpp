#include "protocol/request.hpp"

#include <utility>

#include "protocol/flat_object.hpp"
#include "protocol/json_members.hpp"

namespace moult::internal {
namespace {

/// A day: longer waits are mistakes, and their sum with the clock must not overflow.
constexpr std::uint64_t longest_wait_ms = 86'400'000;

using RequestMembers = Members<FlatObject>;

MalformedRequest malformed(std::string message) { return {Failure{ErrorCode::invalid_argument, std::move(message)}}; }

/// A zero byte would end the path early in system calls.
bool is_absolute_path(std::string_view path) {
  return path.starts_with('/') && path.find('\0') == std::string_view::npos;
}

std::string absolute_path(const RequestMembers& members) {
  std::string path = members.text("path", "");
  if (!is_absolute_path(path)) members.fail("path", "the absolute path of an update (a shared object)");
  return path;
}

/// A client never means a path relative to the program's working directory.
bool is_log_path(std::string_view path) { return path.empty() || is_absolute_path(path); }

std::chrono::milliseconds wait_of(const RequestMembers& members, std::chrono::milliseconds otherwise) {
  const std::uint64_t wait = members.count("wait_ms", static_cast<std::uint64_t>(otherwise.count()), longest_wait_ms);
  return std::chrono::milliseconds(wait);
}

RollbackRequest rollback_of(const FlatObject& object, const RequestMembers& members) {
  RollbackRequest request;
  request.wait = wait_of(members, request.wait);
  const Json update = object.contains("update") ? object["update"] : Json();
  const bool is_last = members.flag("last", false);
  const bool is_all = members.flag("all", false);
  if (is_last + is_all + (update.is_null() ? 0 : 1) > 1)
    members.fail("update", "given alone, without \"last\" and \"all\"");
  if (is_last)
    request.update = LastUpdate{};
  else if (is_all)
    request.update = AllUpdates{};
  else if (update.is_number_unsigned())
    request.update = update.get<std::uint64_t>();
  else if (update.is_string() && !update.get<std::string>().empty())
    request.update = update.get<std::string>();
  else
    members.fail("update", "the name or the id of an applied update");
  return request;
}

WithdrawRequest withdraw_of(const RequestMembers& members) {
  WithdrawRequest request{members.text("key", "")};
  if (request.key.empty()) members.fail("key", "the key of an update request in progress");
  return request;
}

SetRequest set_of(const RequestMembers& members) {
  SetRequest request;
  if (members.has("loglevel")) request.log_level = static_cast<LogLevel>(members.count("loglevel", 0, 2));
  if (members.has("logpath")) request.log_path = members.text("logpath", "");
  if (!is_log_path(request.log_path.value_or("")))
    members.fail("logpath", "an absolute path, or \"\" for standard error");
  if (!request.log_level && !request.log_path)
    members.fail("loglevel", "given (0, 1 or 2), or \"logpath\" (a file, or \"\" for standard error)");
  return request;
}

Command command_of(const FlatObject& object) {
  const RequestMembers members(object, ErrorCode::invalid_argument);
  const std::string name = members.text("command", "");
  if (name == "status") return StatusRequest{};
  if (name == "authenticate") return AuthenticateRequest{members.text("token", "")};
  if (name == "update")
    return UpdateRequest{.path = absolute_path(members),
                         .force = members.flag("force", false),
                         .wait = wait_of(members, UpdateRequest{}.wait),
                         .source = members.text("source", ""),
                         .keep_trying = members.flag("keep_trying", true),
                         .notices = members.flag("notices", false),
                         .key = members.text("key", "")};
  if (name == "withdraw") return withdraw_of(members);
  if (name == "check")
    return CheckRequest{absolute_path(members), members.flag("force", false), members.text("source", "")};
  if (name == "threads") return ThreadsRequest{members.flag("locals", false)};
  if (name == "functions") return FunctionsRequest{members.text("match", ""), members.count("most", 200, 1'000'000)};
  if (name == "objects") return ObjectsRequest{};
  if (name == "log") return LogRequest{members.count("after", 0), members.flag("follow", false)};
  if (name == "rollback") return rollback_of(object, members);
  if (name == "set") return set_of(members);
  return malformed("unknown command \"" + name +
                   "\"; there are status, update, withdraw, check, threads, functions, objects, log, rollback and set");
}

/// The JSON text of `id`.
std::string id_of(const FlatObject& object) {
  if (!object.contains("id")) return {};
  const Json& id = object["id"];
  if (!id.is_string() && !id.is_number())
    throw Error(ErrorCode::invalid_argument, "\"id\" must be a string or a number");
  return to_line(id);
}

Request parse_json(std::string_view line) {
  const std::optional<FlatObject> object = FlatObject::parse(line);
  if (!object) return {{}, malformed("not a JSON object: send one like {\"command\":\"status\"} a line")};
  Request request;
  try {
    request.id = id_of(*object);
    request.command = command_of(*object);
  } catch (const Error& error) {
    request.command = malformed(error.what());
  }
  return request;
}

std::pair<std::string_view, std::string_view> split_word(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin);
  const std::size_t end = line.find_first_of(" \t");
  const std::string_view word = line.substr(0, end);
  if (end == std::string_view::npos) return {word, {}};
  std::string_view rest = line.substr(end);
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\t')) rest.remove_suffix(1);
  return {word, rest};
}

Command parse_plain_set(std::string_view arguments) {
  const auto [what, value] = split_word(arguments);
  if (what == "logpath" && !is_log_path(value))
    return malformed("set logpath takes an absolute path, or none for standard error, not \"" + std::string(value) +
                     "\"");
  if (what == "logpath") return SetRequest{std::nullopt, std::string(value)};
  if (what != "loglevel") return malformed("set takes loglevel N or logpath P, not \"" + std::string(what) + "\"");
  if (value != "0" && value != "1" && value != "2")
    return malformed("set loglevel takes 0 (none), 1 (errors) or 2 (all), not \"" + std::string(value) + "\"");
  return SetRequest{static_cast<LogLevel>(value.front() - '0'), std::nullopt};
}

/// The plain lines that Pymoult's listeners understand.
Command parse_plain(std::string_view line) {
  const auto [command, arguments] = split_word(line);
  if (command == "set") return parse_plain_set(arguments);
  if (command != "update")
    return malformed("neither a JSON object nor one of: update PATH, set loglevel N, set logpath P");
  if (!is_absolute_path(arguments))
    return malformed("update takes the absolute path of an update, not \"" + std::string(arguments) + "\"");
  return UpdateRequest{.path = std::string(arguments)};
}

Json put(const MalformedRequest& request) { throw Error(ErrorCode::invalid_argument, request.failure.message); }
Json put(const AuthenticateRequest& request) { return {{"command", "authenticate"}, {"token", request.token}}; }
Json put(const StatusRequest&) { return {{"command", "status"}}; }
Json with_source(Json json, const std::string& source) {
  if (!source.empty()) json["source"] = source;
  return json;
}
Json put(const UpdateRequest& request) {
  Json json = {
      {"command", "update"}, {"path", request.path}, {"force", request.force}, {"wait_ms", request.wait.count()}};
  if (!request.keep_trying) json["keep_trying"] = false;
  if (request.notices) json["notices"] = true;
  if (!request.key.empty()) json["key"] = request.key;
  return with_source(std::move(json), request.source);
}
Json put(const WithdrawRequest& request) { return {{"command", "withdraw"}, {"key", request.key}}; }
Json put(const CheckRequest& request) {
  return with_source({{"command", "check"}, {"path", request.path}, {"force", request.force}}, request.source);
}
Json put(const ThreadsRequest& request) {
  Json json = {{"command", "threads"}};
  if (request.locals) json["locals"] = true;
  return json;
}
Json put(const FunctionsRequest& request) {
  return {{"command", "functions"}, {"match", request.match}, {"most", request.most}};
}
Json put(const ObjectsRequest&) { return {{"command", "objects"}}; }
Json put(const LogRequest& request) {
  return {{"command", "log"}, {"after", request.after}, {"follow", request.follow}};
}
void put_which(Json& json, const LastUpdate&) { json["last"] = true; }
void put_which(Json& json, const AllUpdates&) { json["all"] = true; }
void put_which(Json& json, const auto& id_or_name) { json["update"] = id_or_name; }
Json put(const RollbackRequest& request) {
  Json json = {{"command", "rollback"}, {"wait_ms", request.wait.count()}};
  std::visit([&](const auto& update) { put_which(json, update); }, request.update);
  return json;
}
Json put(const SetRequest& request) {
  Json json = {{"command", "set"}};
  if (request.log_level) json["loglevel"] = static_cast<int>(*request.log_level);
  if (request.log_path) json["logpath"] = *request.log_path;
  return json;
}

}  // namespace

Request parse_request(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {{}, malformed("an empty line: send one like {\"command\":\"status\"}")};
  if (line[first] == '{' || line[first] == '[') return parse_json(line);
  return {{}, parse_plain(line)};
}

std::string format_request(const Request& request) {
  Json json = std::visit([](const auto& command) { return put(command); }, request.command);
  if (!request.id.empty()) json["id"] = Json::parse(request.id, nullptr, false);
  return to_line(json);
}

}  // namespace moult::internal
