#include "protocol/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>
#include <thread>

namespace moult::internal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::milliseconds(50); }
Deadline later() { return std::chrono::steady_clock::now() + std::chrono::seconds(60); }

/// Listens on a socket in a folder of its own; `answer` sees the accepted connection in another thread.
class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    std::string pattern = (fs::temp_directory_path() / "moult-client-XXXXXX").string();
    base_ = ::mkdtemp(pattern.data());
    path_ = (base_ / "1.sock").string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    listening_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listening_.get(), 4), 0);
  }
  ~ClientTest() override { fs::remove_all(base_); }

  Fd accept() const { return Fd(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)); }

  ErrorCode code_of(const std::function<void()>& act) {
    try {
      act();
    } catch (const Error& error) {
      message_ = error.what();
      return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorCode::internal;
  }

  fs::path base_;
  std::string path_;
  Fd listening_;
  std::string message_;
};

TEST_F(ClientTest, SendsALineAndReadsTheReply) {
  Client client = Client::connect(path_, later());
  std::jthread program([this] {
    const Fd peer = accept();
    std::string request(64, '\0');
    request.resize(static_cast<std::size_t>(::recv(peer.get(), request.data(), request.size(), 0)));
    const std::string reply = "{\"ok\":true,\"echo\":" + request;
    ::send(peer.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
  });
  EXPECT_EQ(client.call(StatusRequest{}, later()), R"({"ok":true,"echo":{"command":"status"})");
}

TEST_F(ClientTest, KnowsTheProcessThatListens) {
  const std::optional<Peer> peer = Client::connect(path_, later()).peer();
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->pid, ::getpid());
  EXPECT_EQ(peer->user, ::geteuid());
}

TEST_F(ClientTest, GivesUpAtItsDeadline) {
  Client client = Client::connect(path_, later());
  EXPECT_EQ(code_of([&] { client.call(StatusRequest{}, soon()); }), ErrorCode::timed_out);
  EXPECT_THAT(message_, HasSubstr("no answer in time"));
}

TEST_F(ClientTest, SaysThatTheProgramEndedBeforeItsReply) {
  Client client = Client::connect(path_, later());
  accept().reset();
  EXPECT_EQ(code_of([&] { client.call(StatusRequest{}, later()); }), ErrorCode::unreadable);
}

TEST_F(ClientTest, DistinguishesASocketWithoutAListenerFromNoSocket) {
  listening_.reset();
  EXPECT_EQ(code_of([&] { Client::connect(path_, later()); }), ErrorCode::not_found);
  EXPECT_THAT(message_, HasSubstr("nobody listens"));
  EXPECT_EQ(code_of([&] { Client::connect((base_ / "2.sock").string(), later()); }), ErrorCode::not_found);
  EXPECT_THAT(message_, HasSubstr("no such socket"));
}

TEST_F(ClientTest, DoesNotWaitForEverOnAProgramThatAcceptsNobody) {
  std::vector<Client> waiting;
  EXPECT_EQ(code_of([&] {
              for (int each = 0; each < 100; ++each) waiting.push_back(Client::connect(path_, soon()));
            }),
            ErrorCode::timed_out);
}

TEST_F(ClientTest, APathThatIsTooLongIsRefused) {
  EXPECT_EQ(code_of([&] { Client::connect("/" + std::string(200, 'x'), soon()); }), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace moult::internal
