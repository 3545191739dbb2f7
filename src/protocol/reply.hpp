// The answers of a running program, as values. docs/protocol.md is the contract. Nothing here does I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "moult/update.hpp"
#include "protocol/request.hpp"

namespace moult::internal {

/// The patch that an update was made from.
struct PatchRecord {
  std::string name;    ///< of its file
  std::string sha256;  ///< of its text, in hex
};

/// The sources that an update was made from.
struct TreeRecord {
  std::uint64_t time = 0;   ///< when the last of them was written, in seconds since 1970
  std::uint64_t files = 0;  ///< that were written after the program
};

struct StatusReply {
  std::int64_t pid = 0;
  std::string program;  ///< path of the executable
  std::string build_id;
  std::string moult;  ///< version of the runtime
  int abi = 0;
  std::size_t threads = 0;
  std::vector<std::string> managers;
  std::vector<UpdateReport> updates;
  int log_level = 0;
  std::map<std::uint64_t, PatchRecord> patches{};  ///< by update
  std::map<std::uint64_t, TreeRecord> trees{};     ///< likewise
};

/// The reply to `update`, `check` and `rollback`.
struct UpdatesReply {
  /// Why the request was not fulfilled as a whole; none: it was.
  std::optional<Failure> failure;
  /// The failure concerns the file, or is what its entry function threw. It concerns none of the updates.
  bool file_refused = false;
  std::vector<UpdateReport> updates;
  std::optional<double> load_ms;
  std::vector<std::string> warnings;
  bool changed_directly = false;  ///< the file's entry function made an untracked change, which stays
  bool code_ran = false;          ///< code of the file ran in the program: its entry, or before it a static constructor
  bool withdrawn = false;  ///< updates that were not applied were withdrawn: the time was over, or the sender left
};

/// A variable or parameter of a frame, as in moult/stack.hpp.
struct VariableRecord {
  std::string name;
  std::string type;
  bool parameter = false;
  std::string where;
  std::string value;  ///< empty if it is not known, or not shown
};

struct FrameRecord {
  std::string function;  ///< demangled; empty if nothing is known
  std::string module;
  std::uint64_t offset = 0;  ///< from the function's first byte; from the module's if the function is unknown
  std::string file;
  int line = 0;
  bool precise = true;
  bool inlined = false;                  ///< the call has no frame of its own
  std::vector<VariableRecord> locals{};  ///< only if they were requested
};

struct ThreadRecord {
  std::int64_t id = 0;
  std::string name;
  std::vector<FrameRecord> frames;  ///< the innermost frame first
  std::string point{};              ///< the static update point at which the thread waits
};

struct ThreadsReply {
  std::vector<ThreadRecord> threads;
};

struct FunctionRecord {
  std::string name;  ///< demangled, with parameters
  std::string module;
  std::uint64_t size = 0;  ///< bytes
  bool redefined = false;
};

struct FunctionsReply {
  /// The program's functions first, then those of its libraries, then moult's.
  std::vector<FunctionRecord> functions;
  std::size_t total = 0;  ///< how many there are; these are the first
};

/// Objects of one class in a pool.
struct HeldRecord {
  std::string class_name;  ///< demangled
  std::uint64_t live = 0;
  std::uint64_t object_size = 0;  ///< bytes
};

struct PoolRecord {
  std::string class_name;        ///< the class that derives from Updatable, demangled
  bool of_subclass = false;      ///< a second pool, for subclasses of one size
  std::vector<HeldRecord> held;  ///< the class of new objects first; after a conversion there may be a second
  std::uint64_t slot_size = 0;   ///< bytes, like all below
  std::uint64_t reserved = 0;    ///< address space
  std::uint64_t resident = 0;    ///< memory of the slots
  std::uint64_t metadata = 0;    ///< memory beside the slots
};

/// An unfinished lazy conversion.
struct WaitingRecord {
  std::string old_class;  ///< demangled, like the other
  std::string new_class;
  std::uint64_t objects = 0;  ///< objects alive when it was prepared
  std::uint64_t converted = 0;
  std::uint64_t failed = 0;  ///< objects that stay of the old class
  std::uint64_t chunks = 0;  ///< slab ranges, each converted as a whole
  std::uint64_t converted_chunks = 0;
  bool drained = false;  ///< a thread of moult's converts unused objects
};

struct ObjectsReply {
  std::vector<PoolRecord> pools;  ///< in the order of their first use
  std::vector<WaitingRecord> waiting{};
};

struct EventRecord {
  std::uint64_t number = 0;
  double time = 0;  ///< seconds since 1970
  std::string kind;
  std::string text;
  std::string manager;
  std::string update;
  std::uint64_t update_id = 0;
  std::optional<ErrorCode> code;
  std::vector<std::string> threads;
  std::chrono::nanoseconds pause{};
};

struct EventsReply {
  std::vector<EventRecord> events;
};

/// Done, without any further data.
struct DoneReply {};

using Result = std::variant<Failure, StatusReply, UpdatesReply, ThreadsReply, FunctionsReply, ObjectsReply, EventsReply,
                            DoneReply>;

/// The reply's line, without a newline. `id` is the request's. Text that is no UTF-8 gets replacement characters.
std::string format_reply(const std::string& id, const Result& result);
/// A line before the reply of a request that takes long.
std::string format_notice(const std::string& text);
/// The text of such a line; nothing if the line is the reply.
std::optional<std::string> parse_notice(std::string_view line);
/// The line of one event, as `log` with `follow` sends it.
std::string format_event(const EventRecord& event);

/// The error of a reply; nothing if it says `ok`. Throws Error (unreadable) if the line is no reply.
std::optional<Failure> parse_failure(std::string_view line);

/// Parse the reply to the command of the same name. A reply with an error and no data is thrown as that Error. A line
/// that is not understood is thrown as Error (unreadable). Missing members keep their defaults.
StatusReply parse_status(std::string_view line);
UpdatesReply parse_updates(std::string_view line);
ThreadsReply parse_threads(std::string_view line);
FunctionsReply parse_functions(std::string_view line);
ObjectsReply parse_objects(std::string_view line);
EventsReply parse_events(std::string_view line);
EventRecord parse_event(std::string_view line);

std::string_view state_text(UpdateState state) noexcept;

}  // namespace moult::internal
