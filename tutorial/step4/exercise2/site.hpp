// The classes of the web server, for the application and its updates. Nothing here knows how requests come and answers
// go.
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
  std::string session;                      ///< what the browser's cookie says; empty without one
  std::map<std::string, std::string> form;  ///< what was filled in
};

struct Answer {
  int status = 200;
  std::string html{};
  std::string location{};  ///< of a page to go to instead
  std::string session{};   ///< a cookie for the browser to keep
};

/// Who comes again with the same cookie. Objects lie in a pool and have 64 bytes to grow into.
class Session : public moult::Updatable<Session, 64> {
 public:
  Session();
  /// One page more was shown; returns how many those are.
  long count_page();

  long pages = 0;  ///< for transformers too, which may find no function of the class to call
};

class Page : public moult::Updatable<Page, 64> {
 public:
  /// `message` says "stranger" somewhere.
  Page(std::string title, std::string message, long times_shown);
  Page(Page&& other) noexcept;
  ~Page();
  /// The page for this session, and counts it.
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

/// What requests change: pages, which count, and sessions. Whoever uses any of them holds the mutex.
struct Shared {
  std::mutex mutex;
  Pages pages;                                                         ///< by their paths
  std::unordered_map<std::string, std::unique_ptr<Session>> sessions;  ///< by cookie, for as long as the server runs
};

class WebServer : public moult::Updatable<WebServer, 128> {
 public:
  WebServer(std::shared_ptr<httplib::Server> http, std::shared_ptr<Shared> shared);
  /// The page of that path, or null.
  Page* page(const std::string& path);
  /// The request's session. Opens one, and has `answer` tell the browser, where there is none yet.
  Session& session(const Request& request, Answer& answer);

  const std::shared_ptr<httplib::Server>& http() const { return http_; }
  const std::shared_ptr<Shared>& shared() const { return shared_; }

 private:
  std::shared_ptr<httplib::Server> http_;
  std::shared_ptr<Shared> shared_;
};

/// Accepts connections for as long as the program runs, and is on the stack for ever.
void serve(const WebServer& server);

/// Answers requests, many at a time.
class Handler {
 public:
  explicit Handler(WebServer& server) : server_(&server) {}
  Answer do_get(const Request& request);
  Answer do_post(const Request& request);

 private:
  WebServer* server_;
};

/// A whole document, of a title and what is below it.
std::string html_document(const std::string& title, const std::string& body);
/// The answer to a path that is no page's.
Answer no_page(const std::string& path);
