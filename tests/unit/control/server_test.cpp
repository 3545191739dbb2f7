#include "control/server.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <semaphore>
#include <thread>

#include "fake_backend.hpp"
#include "protocol/client.hpp"

namespace moult::internal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* token = "0123456789abcdef";

Deadline later() { return std::chrono::steady_clock::now() + std::chrono::seconds(60); }

std::uint16_t free_port() {
  const Fd socket = listen_on_loopback(0);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    std::string pattern = (fs::temp_directory_path() / "moult-server-XXXXXX").string();
    base_ = ::mkdtemp(pattern.data());
    path_ = (base_ / "1.sock").string();
  }
  ~ServerTest() override {
    stop();
    fs::remove_all(base_);
  }

  void start(Server::Options options = {}) {
    options.local = listen_at(path_);
    server_ = std::make_unique<Server>(program_.backend(), std::move(options));
    thread_ = std::jthread([this](const std::stop_token& stop) { server_->serve(stop); });
  }
  void stop() {
    thread_ = std::jthread();
    server_.reset();
  }
  void start_with_tcp(Server::Options options = {}) {
    port_ = free_port();
    options.tcp = listen_on_loopback(port_);
    options.token = token;
    start(std::move(options));
  }

  Client client() const { return Client::connect(path_, later()); }
  static std::string ask(Client& client, std::string_view line) {
    client.send_line(line, later());
    return client.read_line(later());
  }

  /// A raw connection without the client library.
  Fd raw() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return socket;
  }
  Fd raw_tcp() const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return socket;
  }
  /// A connection of another user. Only root can make one.
  Fd raw_tcp_of(uid_t user) const {
    Fd socket;
    std::thread([&] {
      ::setfsuid(user);  // of this thread alone
      socket = raw_tcp();
    }).join();
    return socket;
  }
  static void send_token(const Fd& socket, std::string_view given) {
    send(socket, R"({"command":"authenticate","token":")" + std::string(given) + "\"}\n{\"command\":\"status\"}\n");
    ::shutdown(socket.get(), SHUT_WR);
  }
  static void send(const Fd& socket, std::string_view bytes) {
    EXPECT_EQ(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// Everything up to the end of the connection.
  static std::string rest_of(const Fd& socket) {
    std::string all;
    std::array<char, 4096> bytes;
    for (ssize_t count = 0; (count = ::recv(socket.get(), bytes.data(), bytes.size(), 0)) > 0;)
      all.append(bytes.data(), static_cast<std::size_t>(count));
    return all;
  }

  FakeProgram program_;
  fs::path base_;
  std::string path_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Server> server_;
  std::jthread thread_;
};

TEST_F(ServerTest, AnswersAnyNumberOfRequestsOnOneConnectionInTurn) {
  start();
  const Fd socket = raw();
  send(socket,
       "{\"command\":\"update\",\"path\":\"/a.so\",\"id\":1}\n{\"command\":\"status\",\"id\":2}\nupdate /b.so\nno\n");
  ::shutdown(socket.get(), SHUT_WR);
  const std::string replies = rest_of(socket);
  EXPECT_THAT(replies, StartsWith(R"({"ok":true,"id":1,"updates":[{"id":0,"name":"/a.so")"));
  EXPECT_THAT(replies, HasSubstr("\n{\"ok\":true,\"id\":2,\"pid\":4711"));
  EXPECT_THAT(replies, HasSubstr(R"("name":"/b.so")"));
  EXPECT_THAT(replies, testing::EndsWith("set loglevel N, set logpath P\"}}\n"));
}

TEST_F(ServerTest, ServesOthersWhileAnUpdateIsInProgress) {
  start();
  Client first = client();
  first.send_line("update /wait.so", later());
  program_.update_began.get_future().wait();
  Client second = client();
  EXPECT_THAT(ask(second, "update /quick.so"), HasSubstr("/quick.so"));
  EXPECT_THAT(ask(second, R"({"command":"status"})"), HasSubstr("4711"));
  program_.let_update_end.set_value();
  EXPECT_THAT(first.read_line(later()), HasSubstr("/wait.so"));
}

TEST_F(ServerTest, NoticesComeBeforeTheReplyToWhoeverWantsThem) {
  start();
  Client waiting = client();
  waiting.send_line(R"({"command":"update","path":"/wait.so","notices":true})", later());
  EXPECT_EQ(waiting.read_line(later()), R"({"notice":"it waits"})");
  program_.let_update_end.set_value();
  EXPECT_THAT(waiting.read_line(later()), HasSubstr("/wait.so"));
}

TEST_F(ServerTest, AnUpdateInProgressIsWithdrawnByAnotherConnection) {
  start();
  Client waiting = client();
  waiting.send_line("update /wait.so", later());
  program_.update_began.get_future().wait();
  Client other = client();
  EXPECT_THAT(ask(other, R"({"command":"withdraw","key":"another's"})"), HasSubstr("\"code\":\"not_found\""));
  EXPECT_EQ(ask(other, R"({"command":"withdraw","key":"mine"})"), R"({"ok":true})");
  EXPECT_THAT(waiting.read_line(later()), HasSubstr("/wait.so"));
}

TEST_F(ServerTest, ALineOfMoreThanAMebibyteIsRefusedAndTheConnectionClosed) {
  start();
  const Fd socket = raw();
  std::jthread sender([&] {
    const std::string much(3 << 20, 'x');
    ::send(socket.get(), much.data(), much.size(), MSG_NOSIGNAL);
    ::shutdown(socket.get(), SHUT_WR);
  });
  const std::string reply = rest_of(socket);
  EXPECT_THAT(reply, HasSubstr("longer than 1 MiB"));
  EXPECT_EQ(std::ranges::count(reply, '\n'), 1);
  Client after = client();
  EXPECT_THAT(ask(after, R"({"command":"status"})"), HasSubstr("4711"));
}

TEST_F(ServerTest, ALineOfAMebibyteIsServed) {
  start();
  Client one = client();
  std::string line = R"({"command":"status","id":7,"padding":")";
  line += std::string(max_request_bytes - line.size() - 2, 'x') + "\"}";
  EXPECT_THAT(ask(one, line), StartsWith(R"({"ok":true,"id":7)"));
}

TEST_F(ServerTest, ClientsThatDieWhileTheySendAskOrListenHarmNobody) {
  Server::Options options;
  options.max_connections = 1000;  // so that none is rejected before it misbehaves
  start(std::move(options));
  for (int round = 0; round < 50; ++round) {
    send(raw(), "{\"command\":\"sta");
    send(raw(), "update /a.so\nupdate /b.so\n");
    send(raw(), "{\"command\":\"log\",\"follow\":true}\n");
    program_.publish({});
  }
  Client after = client();
  EXPECT_THAT(ask(after, R"({"command":"status"})"), HasSubstr("4711"));
}

TEST_F(ServerTest, WhoeverSendsAndLeavesAtOnceIsStillServed) {
  start();
  send(raw(), "update /wait.so\n");
  program_.update_began.get_future().wait();
  program_.let_update_end.set_value();
}

TEST_F(ServerTest, AConnectionThatSaysNothingIsKept) {
  start();
  Client idle = client();
  Client other = client();
  for (int round = 0; round < 100; ++round) EXPECT_THAT(ask(other, R"({"command":"status"})"), HasSubstr("4711"));
  EXPECT_THAT(ask(idle, R"({"command":"status"})"), HasSubstr("4711"));
}

TEST_F(ServerTest, AClientThatDoesNotReadIsNotBufferedForAndHarmsNobody) {
  start();
  const Fd greedy = raw();
  const std::string request = "{\"command\":\"status\"}\n";
  std::string burst;
  while (burst.size() < 4096) burst += request;
  std::size_t sent = 0;
  // Until the server stops reading: its buffer has a bound.
  for (ssize_t count = 0;
       (count = ::send(greedy.get(), burst.data(), burst.size(), MSG_DONTWAIT | MSG_NOSIGNAL)) > 0;) {
    sent += static_cast<std::size_t>(count);
    ASSERT_LT(sent, std::size_t{64} << 20);
    Client other = client();
    EXPECT_THAT(ask(other, R"({"command":"status"})"), HasSubstr("4711"));
  }
}

TEST_F(ServerTest, AStopEndsTheWaitingOfAnUpdateInProgressAndAnswersIt) {
  start();
  Client waiting = client();
  waiting.send_line("update /endless.so", later());
  program_.update_began.get_future().wait();
  stop();
  EXPECT_THAT(waiting.read_line(later()), HasSubstr("the listener goes away"));
}

TEST_F(ServerTest, TooManyConnectionsAreTurnedAwayWithAReason) {
  Server::Options options;
  options.max_connections = 2;
  start(std::move(options));
  Client follower = client();
  EXPECT_THAT(ask(follower, R"({"command":"log","follow":true})"), HasSubstr("events"));
  Client busy = client();
  busy.send_line("update /wait.so", later());
  program_.update_began.get_future().wait();
  Client third = client();
  EXPECT_THAT(third.read_line(later()), HasSubstr("too many connections"));
  program_.let_update_end.set_value();
  EXPECT_THAT(busy.read_line(later()), HasSubstr("/wait.so"));
}

TEST_F(ServerTest, ANewConnectionTakesThePlaceOfTheOneThatWasIdleForLongest) {
  Server::Options options;
  options.max_connections = 3;
  start(std::move(options));
  Client follower = client();
  EXPECT_THAT(ask(follower, R"({"command":"log","follow":true})"), HasSubstr("events"));
  const Fd silent = raw();
  Client active = client();
  EXPECT_THAT(ask(active, R"({"command":"status"})"), HasSubstr("4711"));
  for (int each = 0; each < 3; ++each) {
    Client fresh = client();
    EXPECT_THAT(ask(fresh, R"({"command":"status"})"), HasSubstr("4711"));
  }
  EXPECT_EQ(rest_of(silent), "") << "it was closed";
  program_.say("to the follower");
  EXPECT_THAT(follower.read_line(later()), HasSubstr("to the follower"));
}

TEST_F(ServerTest, ManyThatNeverFinishARequestLockNobodyOut) {
  start();
  std::vector<Fd> silent;
  for (int each = 0; each < 300; ++each) {
    silent.push_back(raw());
    if (each % 2 == 0) send(silent.back(), "{\"command\":\"sta");
  }
  Client after = client();
  EXPECT_THAT(ask(after, R"({"command":"status"})"), HasSubstr("4711"));
}

TEST_F(ServerTest, CommandsThatReadDebugInformationTakeTurns) {
  std::atomic<int> reading = 0;
  std::atomic<int> most = 0;
  std::counting_semaphore<> go_on{0};
  program_.threads = [&] {
    most = std::max(most.load(), ++reading);
    go_on.acquire();
    --reading;
    return ThreadsReply{};
  };
  start();
  std::vector<Client> clients;
  for (int each = 0; each < 10; ++each) clients.push_back(client());
  for (Client& each : clients) each.send_line(R"({"command":"threads"})", later());
  Client other = client();
  EXPECT_THAT(ask(other, R"({"command":"check","path":"/a.so"})"), HasSubstr("no update"));
  EXPECT_THAT(ask(other, R"({"command":"status"})"), HasSubstr("4711")) << "now all but one wait";
  go_on.release(10);
  for (Client& each : clients) EXPECT_THAT(each.read_line(later()), HasSubstr("\"threads\":[]"));
  EXPECT_EQ(most, 1);
}

TEST_F(ServerTest, CommandsThatWaitForTheirTurnAreAnsweredWhenTheListenerEnds) {
  std::promise<void> began;
  std::promise<void> go_on;
  program_.threads = [&] {
    began.set_value();
    go_on.get_future().wait();
    return ThreadsReply{};
  };
  start();
  Client first = client();
  first.send_line(R"({"command":"threads"})", later());
  began.get_future().wait();
  Client second = client();
  second.send_line(R"({"command":"threads"})", later());
  Client third = client();
  EXPECT_THAT(ask(third, R"({"command":"status"})"), HasSubstr("4711")) << "now the second one waits";
  thread_.request_stop();
  go_on.set_value();
  EXPECT_THAT(first.read_line(later()), HasSubstr("\"ok\":true"));
  EXPECT_THAT(second.read_line(later()), HasSubstr("timed_out"));
}

TEST_F(ServerTest, AFollowerReceivesStoredAndNewEvents) {
  start();
  program_.say("before");
  Client follower = client();
  EXPECT_THAT(ask(follower, R"({"command":"log","follow":true})"), HasSubstr("before"));
  program_.say("after");
  const EventRecord event = parse_event(follower.read_line(later()));
  EXPECT_EQ(event.number, 2u);
  EXPECT_THAT(event.text, HasSubstr("after"));
}

TEST_F(ServerTest, ASlowFollowerReceivesTheNumberOfMissedEvents) {
  start();
  Client follower = client();
  EXPECT_THAT(ask(follower, R"({"command":"log","follow":true})"), HasSubstr("\"events\":[]"));
  const std::string text(10000, 'x');
  constexpr std::uint64_t many = 2000;  // 20 MB: more than socket, output and log hold
  for (std::uint64_t each = 0; each < many; ++each) program_.say(text);
  std::uint64_t number = 0;
  bool noticed = false;
  while (number < many) {
    const EventRecord event = parse_event(follower.read_line(later()));
    const bool is_notice = event.text.find("dropped") != std::string::npos;
    EXPECT_TRUE(is_notice || event.number == number + 1) << event.number << " after " << number;
    noticed = noticed || is_notice;
    number = event.number;
  }
  EXPECT_TRUE(noticed);
}

TEST_F(ServerTest, OverTcpTheTokenMustComeFirst) {
  start_with_tcp({.wrong_token_delay = std::chrono::milliseconds(1)});
  const Fd without = raw_tcp();
  send(without, "{\"command\":\"status\"}\n{\"command\":\"status\"}\n");
  ::shutdown(without.get(), SHUT_WR);
  const std::string refused = rest_of(without);
  EXPECT_THAT(refused, HasSubstr("permission_denied"));
  EXPECT_THAT(refused, testing::Not(HasSubstr("4711")));

  const Fd wrong = raw_tcp();
  send_token(wrong, "0123456789abcdeF");
  EXPECT_THAT(rest_of(wrong), testing::Not(HasSubstr("4711")));

  const Fd right = raw_tcp();
  send_token(right, token);
  EXPECT_THAT(rest_of(right), HasSubstr("4711"));
}

TEST_F(ServerTest, StrangersOverTcpAreDroppedInTheEndAndDoNotTakeEverybodysPlace) {
  start_with_tcp({.max_strangers = 2, .stranger_timeout = std::chrono::milliseconds(50)});
  const Fd first = raw_tcp();
  const Fd second = raw_tcp();
  Client local = client();
  EXPECT_THAT(ask(local, R"({"command":"status"})"), HasSubstr("4711"));
  EXPECT_EQ(rest_of(first), "");
  EXPECT_EQ(rest_of(second), "");
}

TEST_F(ServerTest, OverTcpTheOldestStrangerGivesWayToANewOne) {
  start_with_tcp({.max_strangers = 2, .stranger_timeout = std::chrono::hours(1)});
  const Fd oldest = raw_tcp();
  const Fd second = raw_tcp();
  const Fd third = raw_tcp();
  EXPECT_EQ(rest_of(oldest), "");
  send_token(second, token);
  EXPECT_THAT(rest_of(second), HasSubstr("4711"));
  send_token(third, token);
  EXPECT_THAT(rest_of(third), HasSubstr("4711"));
}

TEST_F(ServerTest, AStrangerThatHasSentTheTokenIsHeardBeforeItGivesWay) {
  std::promise<void> is_busy;
  std::promise<void> go_on;
  program_.before_status = [&, is_first = true]() mutable {
    if (!std::exchange(is_first, false)) return;
    is_busy.set_value();
    go_on.get_future().wait();
  };
  start_with_tcp({.max_strangers = 1, .stranger_timeout = std::chrono::hours(1)});
  Client local = client();
  local.send_line(R"({"command":"status"})", later());
  is_busy.get_future().wait();
  const Fd with_token = raw_tcp();  // all three wait to be accepted
  send_token(with_token, token);
  const Fd first = raw_tcp();
  const Fd second = raw_tcp();
  go_on.set_value();
  EXPECT_THAT(rest_of(with_token), HasSubstr("4711"));
  EXPECT_EQ(rest_of(first), "");
}

TEST_F(ServerTest, AWrongTokenDelaysTheSameUsersNextTryAndNobodyElse) {
  start_with_tcp({.stranger_timeout = std::chrono::milliseconds(200), .wrong_token_delay = std::chrono::hours(1)});
  const Fd wrong = raw_tcp();
  send_token(wrong, "0123456789abcdeF");
  EXPECT_THAT(rest_of(wrong), HasSubstr("permission_denied"));
  const Fd next = raw_tcp();
  send_token(next, token);
  Client local = client();
  EXPECT_THAT(ask(local, R"({"command":"status"})"), HasSubstr("4711"));
  EXPECT_EQ(rest_of(next), "") << "it was heard before its time";
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make connections of another user";
  const Fd other = raw_tcp_of(12345);
  send_token(other, token);
  EXPECT_THAT(rest_of(other), HasSubstr("4711"));
}

TEST_F(ServerTest, AHeldTryIsHeardWhenItsTimeHasCome) {
  start_with_tcp({.stranger_timeout = std::chrono::hours(1), .wrong_token_delay = std::chrono::milliseconds(100)});
  const Fd wrong = raw_tcp();
  send_token(wrong, "0123456789abcdeF");
  EXPECT_THAT(rest_of(wrong), HasSubstr("permission_denied"));
  const Fd second = raw_tcp();
  send_token(second, "a wrong one too, held");
  const Fd third = raw_tcp();
  send_token(third, token);
  EXPECT_THAT(rest_of(second), HasSubstr("permission_denied"));
  EXPECT_THAT(rest_of(third), HasSubstr("4711"));
}

}  // namespace
}  // namespace moult::internal
