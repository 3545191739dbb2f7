#include "control/server.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>

#include "base/warning.hpp"
#include "control/execute.hpp"
#include "platform/memory.hpp"
#include "platform/tasks.hpp"

namespace moult::internal {
namespace {

constexpr std::uint64_t waker_key = 0;
constexpr std::uint64_t local_key = 1;
constexpr std::uint64_t tcp_key = 2;
constexpr std::uint64_t first_client_key = 16;
constexpr int most_accepted_at_once = 32;
constexpr std::chrono::milliseconds out_of_memory_rest{20};

/// For a client whose request found no memory. It must not be built at that moment.
constexpr std::string_view no_memory_line =
    R"({"ok":false,"error":{"code":"no_room","message":"the program has no memory for this request; try again"}})"
    "\n";

/// Informs a slow follower of what it has missed.
std::string notice_of_gap(std::uint64_t first_missing, std::uint64_t count) {
  EventRecord notice;
  notice.number = first_missing + count - 1;
  notice.kind = name_of(EventKind::warning);
  notice.time = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  notice.text = std::to_string(count) + " events were dropped: this reader is too slow";
  return format_event(notice);
}

Failure too_many_connections() {
  return {ErrorCode::system, "too many connections to this program's listener; close one and try again"};
}

std::uint64_t last_number(const Result& result, std::uint64_t otherwise) {
  const auto* const reply = std::get_if<EventsReply>(&result);
  return reply == nullptr || reply->events.empty() ? otherwise : reply->events.back().number;
}

}  // namespace

Server::Server(Backend backend, Options options)
    : backend_(std::move(backend)), options_(std::move(options)), next_key_(first_client_key) {
  poll_.add(waker_.fd(), waker_key, {.read = true});
  poll_.add(options_.local.socket, local_key, {.read = true});
  if (options_.tcp) poll_.add(options_.tcp, tcp_key, {.read = true});
  subscription_ = backend_.on_event([this] {
    if (has_followers_.load()) waker_.wake();
  });
}

void Server::serve(const std::stop_token& stop) noexcept {
  name_this_thread("moult listener");
  run(stop);
  subscription_.reset();
  connections_.clear();
  options_.local = {};
  options_.tcp.reset();
}

void Server::run(const std::stop_token& stop) {
  const std::stop_callback wake_up(stop, [this] { waker_.wake(); });
  while (!stop.stop_requested() && go_on(stop)) continue;
  turn_readers_away();
  workers_.stop_all();
  deliver_completions();
}

bool Server::go_on(const std::stop_token& stop) noexcept {
  try {
    if (!serve_once(stop)) return false;
    resume_held();
    drop_late();
  } catch (const std::exception&) {  // no memory: what was not done is tried again
    std::this_thread::sleep_for(out_of_memory_rest);
  }
  return true;
}

/// False when the program has closed a descriptor without which the server cannot go on. It does not make another: the
/// program may be about to open files that must get certain numbers.
bool Server::serve_once(const std::stop_token& stop) {
  std::array<Ready, 32> buffer;
  for (const Ready& ready : poll_.wait(buffer, time_to_next_deadline())) {
    if (stop.stop_requested()) break;  // a waiting command is not started any more
    if (ready.is_lost && ready.key < first_client_key) {
      warn(
          "the program has closed the listener's descriptors, so the listener has ended; make the Listener after that, "
          "or close only descriptors that the program has opened");
      return false;
    }
    handle(ready);
  }
  return true;
}

void Server::handle(const Ready& ready) {
  try {
    dispatch(ready);
  } catch (const std::exception&) {
    if (ready.key >= first_client_key) drop_without_memory(ready.key);  // or there is no descriptor
  }
}

void Server::dispatch(const Ready& ready) {
  if (ready.key == local_key) return accept_all(options_.local.socket, false);
  if (ready.key == tcp_key) return accept_all(options_.tcp, true);
  if (ready.key == waker_key) {
    waker_.drain();
    deliver_completions();
    return pump_followers();
  }
  const Connections::iterator found = connections_.find(ready.key);
  if (found != connections_.end()) handle_client(found->second, ready);
}

// ---- new clients ----

void Server::accept_all(const Fd& listening, bool is_tcp) {
  // The poll reports those that are left: a peer that connects again and again must not keep the loop here.
  for (int each = 0; each < most_accepted_at_once; ++each) {
    Accepted accepted = accept_from(listening);
    if (accepted.outcome == AcceptOutcome::out_of_descriptors) spare_.turn_one_away(listening);
    if (accepted.outcome != AcceptOutcome::accepted) return;
    admit(std::move(accepted.socket), is_tcp);
  }
}

std::optional<Failure> Server::objection_to(const Fd& socket, bool is_tcp) const {
  if (!is_tcp) {
    const std::optional<uid_t> user = peer_user(socket);
    if (!user || !is_trusted_user(*user))
      return Failure{ErrorCode::permission_denied, "this program belongs to another user; become that user or root"};
  }
  return std::nullopt;
}

/// The oldest connection without the token gives way. First it is heard: it may have sent the token by now.
void Server::make_room_for_stranger() {
  const auto is_stranger = [](const auto& each) { return each.second.must_authenticate; };
  while (std::cmp_greater_equal(std::ranges::count_if(connections_, is_stranger), options_.max_strangers)) {
    Connection& oldest = std::ranges::find_if(connections_, is_stranger)->second;  // keys ascend
    const std::uint64_t key = oldest.key;
    oldest.read_some();
    advance(oldest);
    const Connections::iterator found = connections_.find(key);
    if (found != connections_.end() && found->second.must_authenticate) drop(key);
  }
}

/// Drops the connection that has kept the server waiting longest, if the limit is reached. A TCP connection without the
/// token replaces only one of its kind. False: all connections are at work.
bool Server::make_room(bool is_tcp) {
  if (connections_.size() < options_.max_connections) return true;
  const Connection* longest = nullptr;
  for (const auto& [key, client] : connections_) {
    if (!client.keeps_us_waiting() || (is_tcp && !client.must_authenticate)) continue;
    if (longest == nullptr || client.last_moved() < longest->last_moved()) longest = &client;
  }
  if (longest == nullptr) return false;
  drop(longest->key);
  return true;
}

void Server::admit(Fd socket, bool is_tcp) {
  std::optional<Failure> objection = objection_to(socket, is_tcp);
  if (is_tcp) make_room_for_stranger();
  if (!objection && !make_room(is_tcp)) objection = too_many_connections();
  if (objection) {
    const std::string line = format_reply({}, *objection) + "\n";
    send_to(socket, line.data(), line.size());
    return;
  }
  const std::uint64_t key = next_key_++;
  Connection& client = connections_.emplace(key, std::move(socket)).first->second;
  client.key = key;
  client.must_authenticate = is_tcp;
  if (is_tcp) client.deadline = Clock::now() + options_.stranger_timeout;
  try {
    settle(client);
  } catch (const std::exception&) {  // nothing would be heard of it
    drop_without_memory(key);
  }
}

// ---- requests ----

void Server::handle_client(Connection& client, const Ready& ready) {
  if (ready.is_lost) return drop(client.key);
  if (ready.readable && !ready.hung_up) client.read_some();
  if (ready.hung_up) {
    // A client that sends and leaves at once is served too: what a closed peer has sent is finite.
    client.read_to_end();
    client.hang_up();
  }
  advance(client);
}

void Server::advance(Connection& client) {
  while (const std::optional<Line> line = client.next_line()) take(client, *line);
  client.flush();
  if (client.following) pump(client);
  settle(client);
}

void Server::take(Connection& client, const Line& line) {
  if (line.too_long) {
    const Failure failure{ErrorCode::invalid_argument, "the request is longer than 1 MiB; send shorter lines"};
    client.queue_line(format_reply({}, failure));
    return client.close_after_output();
  }
  take(client, parse_request(line.text));
}

void Server::take(Connection& client, const Request& request) {
  if (client.must_authenticate && !authenticate(client, request)) return;
  if (!is_quick(request.command)) return start(client, request);
  const Result result = execute(request.command, backend_, {});
  client.queue_line(format_reply(request.id, result));
  const auto* const log = std::get_if<LogRequest>(&request.command);
  if (log != nullptr && log->follow) follow(client, last_number(result, log->after));
}

bool Server::authenticate(Connection& client, const Request& request) {
  const auto* const given = std::get_if<AuthenticateRequest>(&request.command);
  if (given != nullptr && hold(client, request)) return false;
  if (given != nullptr && is_token(given->token, options_.token)) {
    client.must_authenticate = false;
    client.deadline.reset();
    return true;
  }
  if (given != nullptr) next_tries_[loopback_peer_user(client.socket())] = Clock::now() + options_.wrong_token_delay;
  const Failure failure{ErrorCode::permission_denied,
                        R"(send {"command":"authenticate","token":"..."} with the listener's token first)"};
  client.queue_line(format_reply(request.id, failure));
  client.close_after_output();
  return false;
}

/// True if the client's user has given a wrong token just now: this try waits.
bool Server::hold(Connection& client, const Request& request) {
  if (next_tries_.empty()) return false;
  const Peer peer = loopback_peer_user(client.socket());
  const auto next = next_tries_.find(peer);
  if (next == next_tries_.end() || next->second <= Clock::now()) return false;
  held_.push_back({client.key, request, peer});
  client.busy = true;
  return true;
}

void Server::resume_held() {
  const Clock::time_point now = Clock::now();
  std::erase_if(next_tries_, [&](const auto& each) { return each.second <= now; });
  std::vector<HeldTry> ready;
  ready.reserve(held_.size());
  std::erase_if(held_, [&](HeldTry& held) {
    const bool is_ready = !next_tries_.contains(held.peer);
    if (is_ready) ready.push_back(std::move(held));
    return is_ready;
  });
  for (const HeldTry& held : ready) {
    const Connections::iterator found = connections_.find(held.key);
    if (found == connections_.end()) continue;
    try {
      found->second.busy = false;
      take(found->second, held.request);
      advance(found->second);
    } catch (const std::exception&) {
      drop_without_memory(held.key);
    }
  }
}

void Server::start(Connection& client, const Request& request) {
  const bool reads = reads_debug_information(request.command);
  const auto task = std::make_shared<Task>(Task{request, {}});
  task->completion.push_back({client.key, format_reply(request.id, no_memory_failure()), reads});
  const bool must_wait = reads && is_reading_;
  if (must_wait) to_read_.push_back(task);
  client.busy = true;
  is_reading_ = is_reading_ || reads;
  if (!must_wait) start(task);
}

void Server::start(const TaskPointer& task) noexcept {
  try {
    workers_.start([this, task](const std::stop_token& stop) { carry_out(*task, stop); });
  } catch (const std::system_error& error) {
    fail(*task, ErrorCode::system, {"no thread for this request: ", error.what()});
  } catch (const std::exception&) {
    complete(*task);
  }
}

/// In a worker's thread.
void Server::carry_out(Task& task, const std::stop_token& stop) noexcept {
  name_this_thread("moult command");
  const bool reads = reads_debug_information(task.request.command);
  const auto tell = [&](const std::string& notice) { send_notice(task.completion.front().key, notice); };
  try {
    task.completion.front().line = format_reply(task.request.id, execute(task.request.command, backend_, stop, tell));
  } catch (const std::exception&) {  // no memory: the reply that was made beforehand says so
  }
  complete(task);
  // Not after an update: it takes the allocator's locks, for long in a large heap.
  if (reads) give_free_memory_back();
}

void Server::fail(Task& task, ErrorCode code, std::initializer_list<const char*> words) noexcept {
  try {
    Failure failure{code, {}};
    for (const char* const each : words) failure.message += each;
    task.completion.front().line = format_reply(task.request.id, failure);
  } catch (const std::exception&) {  // no memory
  }
  complete(task);
}

void Server::complete(Task& task) noexcept {
  completions_.with([&](std::list<Completion>& queue) { queue.splice(queue.end(), task.completion); });
  waker_.wake();
}

/// Without memory a notice is left out.
void Server::send_notice(std::uint64_t key, const std::string& notice) noexcept {
  try {
    std::list<Completion> completion;
    completion.push_back({.key = key, .line = format_notice(notice), .is_notice = true});
    completions_.with([&](std::list<Completion>& queue) { queue.splice(queue.end(), completion); });
    waker_.wake();
  } catch (const std::exception&) {
  }
}

void Server::deliver_completions() noexcept {
  std::list<Completion> completions;
  completions_.with([&](std::list<Completion>& queue) { queue.swap(completions); });
  for (const Completion& completion : completions) {
    if (completion.was_reading) start_next_reader();
    deliver(completion);
  }
  workers_.reap();
}

void Server::deliver(const Completion& completion) noexcept {
  const Connections::iterator found = connections_.find(completion.key);
  if (found == connections_.end()) return;
  try {
    found->second.busy = completion.is_notice;
    found->second.queue_line(completion.line);
    advance(found->second);
  } catch (const std::exception&) {
    drop_without_memory(completion.key);
  }
}

void Server::start_next_reader() noexcept {
  is_reading_ = !to_read_.empty();
  if (!is_reading_) return;
  const TaskPointer next = std::move(to_read_.front());
  to_read_.pop_front();
  start(next);
}

void Server::turn_readers_away() noexcept {
  for (; !to_read_.empty(); to_read_.pop_front())
    fail(*to_read_.front(), ErrorCode::timed_out, {"the listener has ended; start it and ask again"});
}

// ---- followers of the log ----

void Server::follow(Connection& client, std::uint64_t after) {
  client.following = true;
  client.last_event = after;
  has_followers_.store(true);
}

/// Until the follower has every event, or has unsent output: then its socket says when to go on.
void Server::pump(Connection& client) {
  while (!client.has_enough_output() && queue_events(client)) client.flush();
  client.flush();
}

/// False: all events found room.
bool Server::queue_events(Connection& client) {
  for (const Event& event : backend_.events_since(client.last_event)) {
    if (client.has_enough_output()) return true;
    if (event.number > client.last_event + 1)
      client.queue_line(notice_of_gap(client.last_event + 1, event.number - client.last_event - 1));
    client.queue_line(format_event(to_record(event)));
    client.last_event = event.number;
  }
  return false;
}

void Server::pump_followers() {
  std::vector<std::uint64_t> followers;
  for (const auto& [key, client] : connections_)
    if (client.following) followers.push_back(key);
  has_followers_.store(!followers.empty());
  for (const std::uint64_t key : followers) {
    Connection& client = connections_.at(key);
    pump(client);
    settle(client);
  }
}

// ---- leaving clients ----

void Server::settle(Connection& client) {
  if (client.is_over()) return drop(client.key);
  const bool wanted = !client.is_gone();
  if (wanted && !client.is_registered) {
    poll_.add(client.socket(), client.key, client.interest());
  } else if (wanted && client.registered != client.interest()) {
    poll_.change(client.key, client.interest());
  } else if (!wanted && client.is_registered) {
    poll_.remove(client.key);  // otherwise the hang-up would be reported over and over
  }
  client.is_registered = wanted;
  client.registered = client.interest();
}

void Server::drop(std::uint64_t key) noexcept {
  poll_.remove(key);
  connections_.erase(key);
}

/// Tells the client why, in words that need no memory, unless a line to it is half sent.
void Server::drop_without_memory(std::uint64_t key) noexcept {
  const Connections::iterator found = connections_.find(key);
  if (found == connections_.end()) return;
  if (found->second.pending_output() == 0)
    send_to(found->second.socket(), no_memory_line.data(), no_memory_line.size());
  drop(key);
}

/// A worker's reply is waited for. A held token is not.
bool Server::may_be_late(const Connection& client) noexcept {
  return client.deadline && (!client.busy || client.must_authenticate);
}

void Server::drop_late() {
  const Clock::time_point now = Clock::now();
  std::vector<std::uint64_t> late;
  for (const auto& [key, client] : connections_)
    if (may_be_late(client) && *client.deadline <= now) late.push_back(key);
  for (const std::uint64_t key : late) drop(key);
}

std::optional<std::chrono::milliseconds> Server::time_to_next_deadline() const {
  std::optional<Clock::time_point> first;
  if (!held_.empty())
    for (const auto& [peer, time] : next_tries_) first = std::min(first.value_or(time), time);
  for (const auto& [key, client] : connections_)
    if (may_be_late(client)) first = std::min(first.value_or(*client.deadline), *client.deadline);
  if (!first) return std::nullopt;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*first - Clock::now());
  return std::max(left, std::chrono::milliseconds(0));
}

bool is_token(std::string_view given, std::string_view token) noexcept {
  if (token.empty()) return false;
  volatile unsigned difference = given.size() == token.size() ? 0u : 1u;
  for (std::size_t each = 0; each < given.size(); ++each)
    difference = difference | static_cast<unsigned char>(given[each] ^ token[each % token.size()]);
  return difference == 0;
}

}  // namespace moult::internal
