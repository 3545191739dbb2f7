// A web server with three pages, which count how often they were shown, and sessions, which count the pages they have
// seen. Several threads answer requests. The thread that accepts connections passes a static update point.
#include <httplib.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "site.hpp"

MOULT_UPDATABLE Session::Session() = default;
MOULT_UPDATABLE long Session::count_page() { return ++pages; }

MOULT_UPDATABLE Page::Page(std::string title, std::string message, long times_shown)
    : title_(std::move(title)), message_(std::move(message)), times_shown_(times_shown) {}
MOULT_UPDATABLE Page::Page(Page&& other) noexcept = default;
MOULT_UPDATABLE Page::~Page() = default;
MOULT_UPDATABLE const std::string& Page::title() const { return title_; }
MOULT_UPDATABLE const std::string& Page::message() const { return message_; }
MOULT_UPDATABLE long Page::times_shown() const { return times_shown_; }

MOULT_UPDATABLE std::string Page::html(Session& session) {
  const std::string counts = "Times shown: <b id=\"shown\">" + std::to_string(++times_shown_) +
                             "</b>. Pages you have seen: <b id=\"seen\">" + std::to_string(session.count_page()) +
                             "</b>.";
  return html_document(title_, "<p id=\"message\">" + message_ + "</p>\n<p class=\"counts\">" + counts + "</p>");
}

WebServer::WebServer(std::shared_ptr<httplib::Server> http, std::shared_ptr<Shared> shared)
    : http_(std::move(http)), shared_(std::move(shared)) {}

MOULT_UPDATABLE void serve(const WebServer& server) { server.http()->listen_after_bind(); }

MOULT_UPDATABLE Page* WebServer::page(const std::string& path) {
  const Pages::iterator found = shared_->pages.find(path);
  return found == shared_->pages.end() ? nullptr : found->second.get();
}

/// 128 random bits of the system, so that it cannot be guessed.
static std::string new_session_id() {
  static constexpr char digits[] = "0123456789abcdef";
  std::random_device random;
  std::string id;
  for (int i = 0; i < 32; ++i) id += digits[random() % 16];
  return id;
}

MOULT_UPDATABLE Session& WebServer::session(const Request& request, Answer& answer) {
  const auto found = shared_->sessions.find(request.session);
  if (found != shared_->sessions.end()) return *found->second;
  answer.session = new_session_id();
  return *(shared_->sessions[answer.session] = std::make_unique<Session>());
}

MOULT_UPDATABLE Answer Handler::do_get(const Request& request) {
  const std::scoped_lock lock(server_->shared()->mutex);
  Page* const page = server_->page(request.path);
  if (page == nullptr) return no_page(request.path);
  Answer answer;
  answer.html = page->html(server_->session(request, answer));
  return answer;
}

/// This version has no form. A request with one comes from a page of a later version that was rolled back.
MOULT_UPDATABLE Answer Handler::do_post(const Request&) { return {.status = 303, .location = "/hello"}; }

std::string html_document(const std::string& title, const std::string& body) {
  return R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>)" +
         title + R"(</title>
<style>
body { max-width: 34rem; margin: 3rem auto; padding: 0 1rem; font: 1.1rem/1.5 sans-serif; color: #222; }
nav { display: flex; gap: 1.2rem; padding-bottom: .6rem; border-bottom: 2px solid #e5b800; }
a { color: #7a5c00; }
.log-in { display: grid; gap: .8rem; max-width: 18rem; }
.log-in button { justify-self: start; }
input, button { font: inherit; padding: .3rem .6rem; }
label { display: grid; }
.counts, .user { color: #666; font-size: .95rem; }
.user { display: flex; gap: 1rem; align-items: baseline; }
.wrong { color: #a40000; }
</style>
</head>
<body>
<nav><a href="/hello">hello</a> <a href="/banana">banana</a> <a href="/coconut">coconut</a></nav>
<h1>)" + title +
         "</h1>\n" + body + "\n</body>\n</html>\n";
}

Answer no_page(const std::string& path) {
  if (path == "/") return {.status = 303, .location = "/hello"};
  return {.status = 404, .html = html_document("Nothing here", "<p>There are three pages: see above.</p>")};
}

/// Passes each connection to one of several threads. The accept loop calls `enqueue` with a connection, and `on_idle`
/// when there was none for a while. So it passes the static update point in any case. If it waits there, so does the
/// connection it has accepted.
class Workers final : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> connection) override {
    moult::static_update_point("between connections");
    pool_.enqueue(std::move(connection));
  }
  void on_idle() override { moult::static_update_point("between connections"); }
  void shutdown() override { pool_.shutdown(); }

 private:
  httplib::ThreadPool pool_{32};  // a connection keeps its thread until it is closed
};

/// The library's server, with a longer queue of connections to accept than its five.
class HttpServer final : public httplib::Server {
 public:
  /// Listens on this port of the local address, or on any free one if it is 0. Returns the port, or -1 if that fails.
  int bind(int port) {
    const char* const host = "127.0.0.1";
    if (port == 0)
      port = bind_to_any_port(host);
    else if (!bind_to_port(host, port))
      return -1;
    ::listen(svr_sock_, 128);
    return port;
  }
};

/// The value of the cookie "session", or an empty text.
static std::string session_in(const std::string& cookies) {
  static const std::string name = "session=";
  for (std::size_t at = 0; at < cookies.size();) {
    const std::size_t end = std::min(cookies.find(';', at), cookies.size());
    if (cookies.compare(at, name.size(), name) == 0) return cookies.substr(at + name.size(), end - at - name.size());
    at = cookies.find_first_not_of("; ", end);
  }
  return {};
}

static Request request_of(const httplib::Request& http) {
  Request request{.path = http.path, .session = session_in(http.get_header_value("Cookie")), .form = {}};
  request.form.insert(http.params.begin(), http.params.end());
  return request;
}

static void send(const Answer& answer, httplib::Response& http) {
  if (!answer.session.empty())
    http.set_header("Set-Cookie", "session=" + answer.session + "; Path=/; HttpOnly; SameSite=Lax");
  if (!answer.location.empty()) return http.set_redirect(answer.location, answer.status);
  http.status = answer.status;
  http.set_header("Cache-Control", "no-store");
  http.set_content(answer.html, "text/html; charset=utf-8");
}

static std::shared_ptr<Shared> three_pages() {
  auto shared = std::make_shared<Shared>();
  shared->pages["/hello"] = std::make_unique<Page>("Hello", "Hello, stranger!", 0);
  shared->pages["/banana"] = std::make_unique<Page>("Banana", "Have a banana, stranger.", 0);
  shared->pages["/coconut"] = std::make_unique<Page>("Coconut", "Mind the coconut, stranger!", 0);
  return shared;
}

/// 8080, or the port that MOULT_TUTORIAL_PORT contains.
static int wanted_port() {
  const char* const other = std::getenv("MOULT_TUTORIAL_PORT");
  return other == nullptr ? 8080 : std::atoi(other);
}

int main() {
  const moult::Listener listener;
  const auto http = std::make_shared<HttpServer>();
  const auto server = moult::allocate_shared<WebServer>(http, three_pages());
  Handler handler(*server);
  http->Get(".*", [&](const httplib::Request& request, httplib::Response& response) {
    send(handler.do_get(request_of(request)), response);
  });
  http->Post(".*", [&](const httplib::Request& request, httplib::Response& response) {
    send(handler.do_post(request_of(request)), response);
  });
  http->new_task_queue = [] { return new Workers; };
  http->set_idle_interval(std::chrono::milliseconds(100));
  http->set_tcp_nodelay(true);
  http->set_keep_alive_max_count(1000);

  const int port = http->bind(wanted_port());
  if (port < 0) {
    std::cerr << "port " << wanted_port() << " is not available: does another program use it? Set another one in "
              << "MOULT_TUTORIAL_PORT." << std::endl;
    return 1;
  }
  std::cout << "http://localhost:" << port << std::endl;
  moult::Thread accepting("server", [&] { serve(*server); });
  accepting.join();
}
