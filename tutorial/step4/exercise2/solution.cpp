// Has users log in. First the objects get fields that nobody uses yet. Then, where the accept loop can bear it and with
// no request being answered, the server gets its users and the handler its new functions.
#include "log_in.hpp"

/// It calls no function of the old class: they lead to the new one's when this runs.
static Session_v2 session_with_user(const Session& session) {
  Session_v2 fresh;
  fresh.pages = session.pages;
  return fresh;
}
/// When this runs they are the old class's own again.
static Session session_without_user(const Session_v2& session) {
  Session old;
  old.pages = session.pages;
  return old;
}

static Page_v2 page_with_name(const Page& page) { return {page.title(), page.message(), page.times_shown()}; }
static Page page_without_name(const Page_v2& page) { return {page.title(), page.message(), page.times_shown()}; }

static WebServer_v2 server_with_users(const WebServer& server) { return WebServer_v2(server); }
static WebServer server_without_users(const WebServer_v2& server) { return server.without_users(); }

/// How long a stop may take: a busy machine does not give all of the server's threads a processor at once.
static constexpr std::chrono::seconds stop_timeout(5);

/// The functions are looked up while the program runs, as SafeRedefineUpdate does. But that they are not active is not
/// all that this update waits for.
class LogIn final : public moult::SafeRedefineUpdate {
 public:
  LogIn()
      : SafeRedefineUpdate("log-in",
                           {moult::Redefinition(&Handler::do_get, &Handler_v2::do_get),
                            moult::Redefinition(&Handler::do_post, &Handler_v2::do_post)},
                           {moult::get_thread_by_name("server")}) {
    set_patience({.sleep_time = std::chrono::milliseconds(200), .stop_timeout = stop_timeout, .max_postponements = 2});
  }

  moult::Requirements check_requirements() override {
    const bool is_ready = moult::is_applied("Session") && moult::is_applied("Page");
    return is_ready ? moult::Requirements::met : moult::Requirements::not_yet;
  }

  void preupdate_setup() override {
    moult::setup_wait_static_points({.names = {"between connections"}, .threads = threads()});
  }
  /// With the accept loop at its point, new requests wait for as long as it takes to answer those in progress.
  bool wait_alterability() override {
    if (!moult::wait_static_points_reached(patience())) return false;
    moult::setup_force_quiescence({&Handler::do_get, &Handler::do_post}, patience());
    return moult::wait_force_quiescence(patience());
  }
  void clean_failed_alterability() override {
    moult::clean_failed_force_quiescence();
    moult::clean_failed_static_points();
  }

  void apply() override {
    moult::start_eager_update<WebServer, WebServer_v2>(server_with_users, {.inverse = server_without_users});
    SafeRedefineUpdate::apply();
  }
  void cleanup() override { moult::clean_force_quiescence(); }
};

MOULT_UPDATE {
  using SessionUpdate = moult::LazyConversionUpdate<Session, Session_v2>;
  using PageUpdate = moult::EagerConversionUpdate<Page, Page_v2>;
  const moult::ConversionOptions<Session, Session_v2> session_options{.rebind = moult::Rebind::yes,
                                                                      .inverse = session_without_user};
  const moult::ConversionOptions<Page, Page_v2> page_options{.inverse = page_without_name};
  moult::ThreadedManager& manager = moult::threaded_manager("web server");
  auto session_update = std::make_unique<SessionUpdate>("Session", session_with_user, session_options);
  auto page_update = std::make_unique<PageUpdate>("Page", page_with_name, page_options);
  session_update->set_patience({.stop_timeout = stop_timeout, .max_postponements = {}});
  page_update->set_patience({.stop_timeout = stop_timeout, .max_postponements = {}});
  manager.add_update(std::move(session_update));
  manager.add_update(std::move(page_update));
  manager.add_update(std::make_unique<LogIn>());
}
