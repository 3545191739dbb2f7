// What an update needs to have users log in: later versions of the classes of site.hpp. For one file, the update's.
#pragma once

// NOLINTBEGIN(misc-definitions-in-headers)

#include <algorithm>
#include <array>
#include <string_view>

#include "site.hpp"

/// Knows who has logged in. It bears being moved byte by byte; with a std::string it would not.
class Session_v2 : public moult::Updatable<Session_v2> {
 public:
  Session_v2();
  long count_page();

  /// Empty when nobody has logged in.
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

/// Knows where in its message somebody is addressed. Page's functions work on it as well: it begins as a Page does.
class Page_v2 : public moult::Updatable<Page_v2> {
 public:
  Page_v2(std::string title, std::string message, long times_shown);
  /// With the user's name. Counts it.
  std::string html_for(std::string_view user, Session& session);

  const std::string& title() const { return title_; }
  const std::string& message() const { return message_; }
  long times_shown() const { return times_shown_; }

 private:
  std::string title_;
  std::string message_;
  long times_shown_;
  std::size_t name_at_;  ///< where the message says "stranger"
};

static constexpr std::string_view stranger = "stranger";

Page_v2::Page_v2(std::string title, std::string message, long times_shown)
    : title_(std::move(title)),
      message_(std::move(message)),
      times_shown_(times_shown),
      name_at_(message_.find(stranger)) {}

std::string Page_v2::html_for(std::string_view user, Session& session) {
  std::string message = message_;
  if (name_at_ != std::string::npos) message.replace(name_at_, stranger.size(), user);
  const std::string name(user);
  return html_document(title_, "<p id=\"message\">" + message + R"(</p>
<form class="user" method="post" action="/logout">
<span>Logged in as <b id="user">)" +
                                   name + R"(</b></span> <button>Log out</button>
</form>
<p class="counts">Times shown: <b id="shown">)" +
                                   std::to_string(++times_shown_) + R"(</b>. Pages you have seen: <b id="seen">)" +
                                   std::to_string(session.count_page()) + "</b>.</p>");
}

/// Knows its users. It begins as a WebServer does.
class WebServer_v2 : public moult::Updatable<WebServer_v2> {
 public:
  explicit WebServer_v2(const WebServer& old) : http_(old.http()), shared_(old.shared()) {}
  WebServer without_users() const { return {http_, shared_}; }

  /// The user of that name, or null when there is none, or the password is another one.
  const std::string* user(const std::string& name, const std::string& password) const {
    const auto found = passwords_.find(name);
    return found == passwords_.end() || found->second != password ? nullptr : &found->first;
  }

 private:
  std::shared_ptr<httplib::Server> http_;
  std::shared_ptr<Shared> shared_;
  // For everybody to read, as passwords in a tutorial are; a real server keeps salted hashes.
  std::map<std::string, std::string> passwords_{{"ada", "lovelace"}, {"grace", "hopper"}};
};

/// Shows pages to users alone. Laid out as a Handler, since its functions are called for the one that the program has.
class Handler_v2 {
 public:
  Answer do_get(const Request& request);
  Answer do_post(const Request& request);

 private:
  Answer log_in(const Request& request);

  WebServer* server_;  ///< a WebServer_v2 by now
};

// What the program takes for objects of the old classes.
static Session_v2& with_user(Session& session) { return reinterpret_cast<Session_v2&>(session); }
static Page_v2& with_name(Page& page) { return reinterpret_cast<Page_v2&>(page); }
static const WebServer_v2& with_users(const WebServer& server) { return reinterpret_cast<const WebServer_v2&>(server); }

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
  const std::scoped_lock lock(server_->shared()->mutex);
  Page* const page = server_->page(request.path);
  if (page == nullptr) return no_page(request.path);
  Answer answer;
  Session& session = server_->session(request, answer);
  const std::string_view user = with_user(session).user();
  answer.html = user.empty() ? log_in_form(request.path, "") : with_name(*page).html_for(user, session);
  return answer;
}

Answer Handler_v2::do_post(const Request& request) {
  if (request.path == "/login") return log_in(request);
  Answer answer{.status = 303, .location = "/hello"};
  if (request.path != "/logout") return answer;
  const std::scoped_lock lock(server_->shared()->mutex);
  with_user(server_->session(request, answer)).set_user("");
  return answer;
}

/// What was filled in, or nothing.
static std::string filled_in(const Request& request, const std::string& name) {
  const auto found = request.form.find(name);
  return found == request.form.end() ? "" : found->second;
}

Answer Handler_v2::log_in(const Request& request) {
  const std::scoped_lock lock(server_->shared()->mutex);
  const std::string wanted = filled_in(request, "page");
  const std::string path = server_->page(wanted) == nullptr ? "/hello" : wanted;  // somebody may send anything
  const std::string* const user = with_users(*server_).user(filled_in(request, "user"), filled_in(request, "password"));
  if (user == nullptr)
    return {.status = 403,
            .html = log_in_form(path, "<p class=\"wrong\">There is no such user, or the password is wrong.</p>")};
  Answer answer{.status = 303, .location = path};
  with_user(server_->session(request, answer)).set_user(*user);
  return answer;
}
// NOLINTEND(misc-definitions-in-headers)
