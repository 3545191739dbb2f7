// The update of step 4, exercise 2. README.md describes how to complete it.
#include <algorithm>
#include <array>
#include <string_view>

#include "site.hpp"

// The new code. It is complete.

/// A session that records which user has logged in. While the program runs, moult moves it byte by byte to other
/// memory, so the name is not a std::string.
class Session_v2 : public moult::Updatable<Session_v2> {
 public:
  Session_v2();
  long count_page();

  /// Empty if no user has logged in.
  std::string_view user() const { return user_.data(); }
  void set_user(std::string_view name) {
    user_ = {};
    std::copy_n(name.begin(), std::min(name.size(), user_.size() - 1), user_.begin());
  }

  long pages = 0;

 private:
  std::array<char, 32> user_{};
};

MOULT_UPDATABLE Session_v2::Session_v2() = default;
MOULT_UPDATABLE long Session_v2::count_page() { return ++pages; }

static constexpr std::string_view stranger = "stranger";

/// A page that knows where its message addresses the visitor. It begins like a Page, so Page's functions work on it.
class Page_v2 : public moult::Updatable<Page_v2> {
 public:
  Page_v2(std::string title, std::string message, long times_shown)
      : title_(std::move(title)),
        message_(std::move(message)),
        times_shown_(times_shown),
        name_at_(message_.find(stranger)) {}
  /// The page for the session's user. Counts it.
  std::string html(Session_v2& session);

  const std::string& title() const { return title_; }
  const std::string& message() const { return message_; }
  long times_shown() const { return times_shown_; }

 private:
  std::string title_;
  std::string message_;
  long times_shown_;
  std::size_t name_at_;  ///< where the message says "stranger"
};

std::string Page_v2::html(Session_v2& session) {
  const std::string user(session.user());
  std::string message = message_;
  if (name_at_ != std::string::npos) message.replace(name_at_, stranger.size(), user);
  return html_document(title_, "<p id=\"message\">" + message + R"(</p>
<form class="user" method="post" action="/logout">
<span>Logged in as <b id="user">)" +
                                   user + R"(</b></span> <button>Log out</button>
</form>
<p class="counts">Times shown: <b id="shown">)" +
                                   std::to_string(++times_shown_) + R"(</b>. Pages you have seen: <b id="seen">)" +
                                   std::to_string(session.count_page()) + "</b>.</p>");
}

/// A server that knows its users. It begins like a WebServer, so WebServer's functions work on it.
class WebServer_v2 : public moult::Updatable<WebServer_v2> {
 public:
  explicit WebServer_v2(const WebServer& old) : http_(old.http()), shared_(old.shared()) {}
  WebServer without_users() const { return {http_, shared_}; }

  const std::shared_ptr<Shared>& shared() const { return shared_; }
  /// Pages and sessions are converted before the server is.
  Page_v2* page(const std::string& path) { return reinterpret_cast<Page_v2*>(as_web_server().page(path)); }
  Session_v2& session(const Request& request, Answer& answer) {
    return reinterpret_cast<Session_v2&>(as_web_server().session(request, answer));
  }
  /// The user of that name, or null if there is none or the password is wrong.
  const std::string* user(const std::string& name, const std::string& password) const {
    const auto found = passwords_.find(name);
    return found == passwords_.end() || found->second != password ? nullptr : &found->first;
  }

 private:
  WebServer& as_web_server() { return reinterpret_cast<WebServer&>(*this); }

  std::shared_ptr<httplib::Server> http_;
  std::shared_ptr<Shared> shared_;
  // A tutorial may show its passwords. A real server stores salted hashes.
  std::map<std::string, std::string> passwords_{{"ada", "lovelace"}, {"grace", "hopper"}};
};

/// Shows pages to users only. Its functions are called for the program's Handler, which knows a WebServer. So they use
/// the server that create_new_do_get has stored here.
class Handler_v2 {
 public:
  Answer do_get(const Request& request);
  Answer do_post(const Request& request);

  static inline WebServer_v2* server = nullptr;

 private:
  Answer log_in(const Request& request);
};

static std::string log_in_form(const std::string& path, const std::string& hint) {
  return html_document("Log in", hint + R"(
<form class="log-in" method="post" action="/login">
<input type="hidden" name="page" value=")" +
                                     path + R"(">
<label>Name <input name="user" required autofocus></label>
<label>Password <input name="password" type="password" required></label>
<button>Log in</button>
</form>)");
}

Answer Handler_v2::do_get(const Request& request) {
  const std::scoped_lock lock(server->shared()->mutex);
  Page_v2* const page = server->page(request.path);
  if (page == nullptr) return no_page(request.path);
  Answer answer;
  Session_v2& session = server->session(request, answer);
  answer.html = session.user().empty() ? log_in_form(request.path, "") : page->html(session);
  return answer;
}

Answer Handler_v2::do_post(const Request& request) {
  if (request.path == "/login") return log_in(request);
  Answer answer{.status = 303, .location = "/hello"};
  if (request.path != "/logout") return answer;
  const std::scoped_lock lock(server->shared()->mutex);
  server->session(request, answer).set_user("");
  return answer;
}

/// The value of a form's field, or an empty text.
static std::string field_of(const Request& request, const std::string& name) {
  const auto found = request.form.find(name);
  return found == request.form.end() ? "" : found->second;
}

Answer Handler_v2::log_in(const Request& request) {
  const std::scoped_lock lock(server->shared()->mutex);
  const std::string wanted = field_of(request, "page");
  const std::string path = server->page(wanted) == nullptr ? "/hello" : wanted;  // a browser may send anything
  const std::string* const user = server->user(field_of(request, "user"), field_of(request, "password"));
  if (user == nullptr)
    return {.status = 403,
            .html = log_in_form(path, "<p class=\"wrong\">There is no such user, or the password is wrong.</p>")};
  Answer answer{.status = 303, .location = path};
  server->session(request, answer).set_user(*user);
  return answer;
}

using HandlerMethod = Answer (Handler_v2::*)(const Request&);

/// Creates the handler's new do_get for `server`, which must be a WebServer_v2 when do_get is first called. A pointer
/// to a method cannot hold the server, so it is stored in the class.
[[maybe_unused]] static HandlerMethod create_new_do_get(WebServer& server) {
  Handler_v2::server = reinterpret_cast<WebServer_v2*>(&server);
  return &Handler_v2::do_get;
}

/// The same for do_post.
[[maybe_unused]] static HandlerMethod create_new_do_post(WebServer& server) {
  Handler_v2::server = reinterpret_cast<WebServer_v2*>(&server);
  return &Handler_v2::do_post;
}

// Step 1: write a transformer from Session to Session_v2, and one from Page to Page_v2.

// Step 3: write a transformer from WebServer to WebServer_v2.

// Steps 2 and 3: complete the class.
class LogIn final : public moult::SafeRedefineUpdate {
 public:
  explicit LogIn(WebServer& server)
      : SafeRedefineUpdate("log-in", {moult::Redefinition(&Handler::do_post, create_new_do_post(server))}) {}

  bool wait_alterability() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "wait_alterability is missing: see README.md, step 2");
  }

  void apply() override {
    throw moult::Error(moult::ErrorCode::invalid_argument, "apply is missing: see README.md, step 3");
  }
};

MOULT_UPDATE {
  // Step 1: pass the updates of Session and Page to the manager "web server". Remove this throw.
  // Step 3: pass a LogIn to it, too.
  throw moult::Error(moult::ErrorCode::invalid_argument,
                     "the updates of Session and Page are missing: see README.md, steps 1 to 3");
}
