// The web server's classes, for the application and its updates. They do not depend on the HTTP library.
#pragma once

#include <moult/moult.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace httplib {
class Server;
}

struct Request {
  std::string path;
  std::string session;                      ///< the value of the browser's cookie, or empty
  std::map<std::string, std::string> form;  ///< the fields of a submitted form
};

struct Answer {
  int status = 200;
  std::string html{};
  std::string location{};  ///< the page to go to instead
  std::string session{};   ///< a cookie for the browser to keep
};

/// The requests that come with the same cookie. Objects are in a pool and have 64 bytes to grow into.
class Session : public moult::Updatable<Session, 64> {
 public:
  Session();
  /// Counts a page and returns the new count.
  long count_page();

  long pages = 0;  ///< public, because a transformer may call no method of Session
};

class Page : public moult::Updatable<Page, 64> {
 public:
  /// `message` contains the word "stranger".
  Page(std::string title, std::string message, long times_shown);
  Page(Page&& other) noexcept;
  ~Page();
  /// The page for this session. Counts it.
  std::string html(Session& session);

  const std::string& title() const;
  const std::string& message() const;
  long times_shown() const;

 private:
  std::string title_;
  std::string message_;
  long times_shown_;
};

using Pages = std::map<std::string, std::unique_ptr<Page>>;

/// The pages and sessions, which requests change. A thread that uses any of them holds the mutex.
struct Shared {
  std::mutex mutex;
  Pages pages;                                                         ///< by path
  std::unordered_map<std::string, std::unique_ptr<Session>> sessions;  ///< by cookie, for as long as the server runs
};

class WebServer : public moult::Updatable<WebServer, 128> {
 public:
  WebServer(std::shared_ptr<httplib::Server> http, std::shared_ptr<Shared> shared);
  /// The page of that path, or null.
  Page* page(const std::string& path);
  /// The request's session. Opens one if there is none, and puts its cookie into `answer`.
  Session& session(const Request& request, Answer& answer);

  const std::shared_ptr<httplib::Server>& http() const { return http_; }
  const std::shared_ptr<Shared>& shared() const { return shared_; }

 private:
  std::shared_ptr<httplib::Server> http_;
  std::shared_ptr<Shared> shared_;
};

/// Accepts connections and never returns.
void serve(const WebServer& server);

/// Answers requests, in many threads at a time.
class Handler {
 public:
  explicit Handler(WebServer& server) : server_(&server) {}
  Answer do_get(const Request& request);
  Answer do_post(const Request& request);

 private:
  WebServer* server_;
};

/// A whole document with this title and body.
std::string html_document(const std::string& title, const std::string& body);
/// The answer to a path without a page.
Answer no_page(const std::string& path);
