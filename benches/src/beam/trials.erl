%% The BEAM's trials: one function each, the same work as the Rust peers do. Prints one number.
-module(trials).
-behaviour(supervisor).
-export([main/1, serve/1, init/1, handle_call/3, handle_cast/2, start_named/1, start_idle/0, start_branch/1]).

main([Trial]) ->
    io:format("~p~n", [float(trial(list_to_atom(Trial)))]),
    halt(0).

trial(memory) ->
    [spawn(fun idle/0) || _ <- lists:seq(1, 1000)],
    timer:sleep(200),
    Before = resident(),
    spawn_idle(500000),
    timer:sleep(1000),
    (resident() - Before) / 500000;
trial(spawn_hold) ->
    Held = hold(1000000),
    release(Held),
    seconds(fun() -> hold(1000000) end, 1000000);
trial(spawn_exit) -> rate(1000000, fun() -> spawn_exit(1000000) end);
trial(ping_pong) -> rate(500000, fun() -> ping_pong(500000) end);
trial(ring) -> rate(10000 * 100, fun() -> ring(10000, 100) end);
trial(fan_in) -> rate(8 * 200000, fun() -> fan_in(8, 200000) end);
trial(spawn_monitor_down) -> rate(200000, fun() -> spawn_monitor_down(200000) end);
trial(kill_down_p99) -> quantile([kill_down() || _ <- lists:seq(1, 2000)], 0.99) / 1000;
trial(backlog) -> calls(500000);
trial(backlog_none) -> calls(0);
trial(call) -> rate(500000, fun() -> ask(500000) end);
trial(call_backlog) -> asks(500000);
trial(chain) -> chain(100000), chain(100000);
trial(hub) -> hub(100000), hub(100000);
trial(restart) -> restarts(500, 100);
trial(restart_p50) -> quantile(restart_times(), 0.5) / 1000;
trial(restart_p99) -> quantile(restart_times(), 0.99) / 1000;
trial(tree) -> tree({tree, 100, 1000}), tree({tree, 100, 1000});
trial(tree_dynamic) -> tree_dynamic(100000), tree_dynamic(100000);
trial(async_stream) ->
    process_flag(trap_exit, false), % As in any process that was not started by init.
    Schedulers = erlang:system_info(schedulers_online),
    rate(100000, fun() -> async_stream(0, 100000, Schedulers, queue:new()) end);
trial(runaway) -> runaway(40, 2000);
trial(remote_call) ->
    remote(fun(Peer) ->
        Times = [remote_call_time(Peer) || _ <- lists:seq(1, 20000)],
        quantile(lists:nthtail(5000, Times), 0.5) / 1000
    end);
trial(remote_cast) ->
    remote(fun(Peer) ->
        send_all(Peer, 100000, 100),
        500000 * 1.0e9 / send_all(Peer, 500000, 100)
    end);
trial(remote_stream) ->
    remote(fun(Peer) ->
        1024 * 1.0e9 / lists:sum([send_all(Peer, 8, 1 bsl 20) || _ <- lists:seq(1, 128)])
    end);
trial(remote_small_behind_large) ->
    remote(fun(Peer) -> lists:max([behind_large(Peer) || _ <- lists:seq(1, 3)]) / 1.0e6 end).

%% Another node on this machine, in an operating-system process of its own, by plain TCP.
remote(Work) ->
    os:cmd("epmd -daemon; sleep 0.3"),
    Id = os:getpid(),
    {ok, _} = net_kernel:start([list_to_atom("bench" ++ Id ++ "@127.0.0.1"), longnames]),
    Options = #{name => "peer" ++ Id, host => "127.0.0.1", longnames => true,
                args => ["-pa", filename:dirname(code:which(?MODULE))]},
    {ok, Control, Node} = peer:start_link(Options),
    Result = Work(spawn(Node, ?MODULE, serve, [0])),
    peer:stop(Control),
    Result.

serve(Received) ->
    receive
        {request, Ref, From} -> From ! {Ref, Received}, serve(Received);
        {bytes, Bytes} -> serve(Received + byte_size(Bytes))
    end.

remote_call(Peer) ->
    Ref = monitor(process, Peer),
    Peer ! {request, Ref, self()},
    receive {Ref, Received} -> demonitor(Ref), Received end.

remote_call_time(Peer) ->
    Start = erlang:monotonic_time(nanosecond),
    remote_call(Peer),
    erlang:monotonic_time(nanosecond) - Start.

send_all(Peer, Count, Size) ->
    Before = remote_call(Peer),
    Start = erlang:monotonic_time(nanosecond),
    send_all_to(Count, Size, Peer),
    Received = remote_call(Peer) - Before,
    Received = Count * Size,
    erlang:monotonic_time(nanosecond) - Start.

send_all_to(0, _, _) -> ok;
send_all_to(Count, Size, Peer) ->
    Peer ! {bytes, binary:copy(<<7>>, Size)},
    send_all_to(Count - 1, Size, Peer).

behind_large(Peer) ->
    Large = 100 bsl 20,
    Before = remote_call(Peer),
    Myself = self(),
    spawn(fun() -> Peer ! {bytes, binary:copy(<<1>>, Large)}, Myself ! sent end),
    timer:sleep(20),
    Start = erlang:monotonic_time(nanosecond),
    remote_call(Peer),
    Time = erlang:monotonic_time(nanosecond) - Start,
    receive sent -> ok end,
    until(Peer, Before + Large),
    Time.

until(Peer, Wanted) ->
    case remote_call(Peer) of
        Wanted -> ok;
        _ -> until(Peer, Wanted)
    end.

resident() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = string:lexemes(binary_to_list(Text), " "),
    list_to_integer(Pages) * 4096.

seconds(Work, Count) ->
    Start = erlang:monotonic_time(nanosecond),
    Work(),
    Count * 1.0e9 / (erlang:monotonic_time(nanosecond) - Start).

rate(Count, Work) ->
    Work(),
    seconds(Work, Count).

quantile(Values, Share) ->
    Sorted = lists:sort(Values),
    lists:nth(min(length(Sorted), trunc(length(Sorted) * Share) + 1), Sorted).

idle() -> receive pong -> idle() end.

spawn_idle(0) -> ok;
spawn_idle(N) -> spawn(fun idle/0), spawn_idle(N - 1).

%% Tells Parent when as many as the gate was made for have passed.
gate(Count) ->
    Gate = atomics:new(1, []),
    atomics:put(Gate, 1, Count),
    {Gate, make_ref(), self()}.

pass({Gate, Ref, Parent}) ->
    case atomics:sub_get(Gate, 1, 1) of
        0 -> Parent ! {opened, Ref};
        _ -> ok
    end.

opened({_, Ref, _}) -> receive {opened, Ref} -> ok end.

hold(Count) ->
    Started = gate(Count),
    Ended = gate(Count),
    Pids = hold(Count, Started, Ended, []),
    opened(Started),
    {Pids, Ended}.

hold(0, _, _, Pids) -> Pids;
hold(N, Started, Ended, Pids) ->
    Pid = spawn(fun() -> pass(Started), receive stop -> pass(Ended) end end),
    hold(N - 1, Started, Ended, [Pid | Pids]).

release({Pids, Ended}) ->
    [Pid ! stop || Pid <- Pids],
    opened(Ended).

spawn_exit(Count) ->
    Gate = gate(Count),
    spawn_exit(Count, Gate),
    opened(Gate).

spawn_exit(0, _) -> ok;
spawn_exit(N, Gate) -> spawn(fun() -> pass(Gate) end), spawn_exit(N - 1, Gate).

echo() -> receive {ping, From} -> From ! pong, echo() end.

ping_pong(Count) ->
    Echo = spawn(fun echo/0),
    ping_pong(Count, Echo),
    exit(Echo, kill).

ping_pong(0, _) -> ok;
ping_pong(N, Echo) -> Echo ! {ping, self()}, receive pong -> ping_pong(N - 1, Echo) end.

hand_on(To) -> receive {token, N} -> To ! {token, N + 1}, hand_on(To) end.

ring(Size, Laps) ->
    Pids = ring_of(Size - 1, [self()]),
    laps(Laps, hd(Pids), 0),
    [exit(Pid, kill) || Pid <- Pids, Pid =/= self()].

ring_of(0, Pids) -> Pids;
ring_of(N, [Next | _] = Pids) -> ring_of(N - 1, [spawn(fun() -> hand_on(Next) end) | Pids]).

laps(0, _, N) -> N;
laps(Left, Next, N) -> Next ! {token, N + 1}, receive {token, M} -> laps(Left - 1, Next, M) end.

fan_in(Senders, Items) ->
    Self = self(),
    [spawn(fun() -> burst(Items, Self) end) || _ <- lists:seq(1, Senders)],
    drain(Senders * Items).

burst(0, _) -> ok;
burst(N, To) -> To ! {item, N}, burst(N - 1, To).

drain(0) -> ok;
drain(N) -> receive {item, _} -> drain(N - 1) end.

spawn_monitor_down(0) -> ok;
spawn_monitor_down(N) ->
    {_, Ref} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', Ref, process, _, _} -> spawn_monitor_down(N - 1) end.

kill_down() ->
    {Pid, Ref} = spawn_monitor(fun idle/0),
    timer:sleep(1),
    Start = erlang:monotonic_time(nanosecond),
    exit(Pid, kill),
    receive {'DOWN', Ref, process, _, _} -> erlang:monotonic_time(nanosecond) - Start end.

server() -> receive {request, Ref, From} -> From ! {Ref, 1}, server() end.

calls(Waiting) ->
    Server = spawn(fun server/0),
    burst(Waiting, self()),
    call(Server),
    1.0e9 / seconds(fun() -> calls_to(20000, Server) end, 20000).

calls_to(0, _) -> ok;
calls_to(N, Server) -> call(Server), calls_to(N - 1, Server).

call(Server) ->
    Ref = monitor(process, Server),
    Server ! {request, Ref, self()},
    receive {Ref, 1} -> demonitor(Ref) end.

handle_call({add, N}, _From, Sum) -> {reply, Sum + N, Sum + N}.

handle_cast(_, Sum) -> {noreply, Sum}.

ask(Count) ->
    {ok, Counter} = gen_server:start_link(?MODULE, 0, []),
    asked(Count, Counter).

asks(Waiting) ->
    burst(Waiting, self()),
    {ok, Counter} = gen_server:start_link(?MODULE, 0, []),
    1.0e9 / seconds(fun() -> asked(200000, Counter) end, 200000).

asked(0, _) -> ok;
asked(N, Counter) -> gen_server:call(Counter, {add, 1}), asked(N - 1, Counter).

link_on(0, Last) -> Last ! {last, self()}, idle();
link_on(N, Last) -> spawn_link(fun() -> link_on(N - 1, Last) end), idle().

chain(Length) ->
    Self = self(),
    First = spawn(fun() -> link_on(Length, Self) end),
    Last = receive {last, Pid} -> Pid end,
    monitor(process, Last),
    timer:sleep(50),
    Start = erlang:monotonic_time(nanosecond),
    exit(First, kill),
    receive {'DOWN', _, process, _, _} -> (erlang:monotonic_time(nanosecond) - Start) / 1.0e6 end.

hub(Leaves) ->
    Self = self(),
    Hub = spawn(fun() -> [Self ! {leaf, spawn_link(fun idle/0)} || _ <- lists:seq(1, Leaves)], idle() end),
    leaves(Leaves),
    timer:sleep(50),
    Start = erlang:monotonic_time(nanosecond),
    exit(Hub, kill),
    downs(Leaves),
    (erlang:monotonic_time(nanosecond) - Start) / 1.0e6.

leaves(0) -> ok;
leaves(N) -> receive {leaf, Pid} -> monitor(process, Pid), leaves(N - 1) end.

downs(0) -> ok;
downs(N) -> receive {'DOWN', _, process, _, _} -> downs(N - 1) end.

%% What Elixir's Task.async_stream does for each input, without the process in between: a linked and monitored process,
%% as many at a time as there are schedulers, and their values in order.
async_stream(Next, Count, Room, Flights) when Room > 0, Next < Count ->
    Self = self(),
    Tag = make_ref(),
    {_, Monitor} = spawn_opt(fun() -> Self ! {Tag, Next + 1} end, [link, monitor]),
    async_stream(Next + 1, Count, Room - 1, queue:in({Tag, Monitor}, Flights));
async_stream(Next, Count, Room, Flights) ->
    case queue:out(Flights) of
        {empty, _} -> ok;
        {{value, {Tag, Monitor}}, Rest} ->
            receive {Tag, _} -> demonitor(Monitor, [flush]) end,
            async_stream(Next, Count, Room + 1, Rest)
    end.

runaway(Count, Ms) ->
    Ticks = atomics:new(1, []),
    spawn(fun() -> tick(Ticks) end),
    [spawn(fun burn/0) || _ <- lists:seq(1, Count)],
    process_flag(priority, high),
    timer:sleep(Ms),
    atomics:get(Ticks, 1).

tick(Ticks) -> receive after 1 -> atomics:add(Ticks, 1, 1), tick(Ticks) end.

burn() -> burn().

%% Supervisors, by what they are told to supervise.
init(Start) when is_integer(Start) -> {ok, Start}; % The server; the others are supervisors.
init({named, Intensity, Parent}) ->
    Child = #{id => child, start => {?MODULE, start_named, [Parent]}},
    {ok, {#{intensity => Intensity, period => 1}, [Child]}};
init({tree, Branches, Leaves}) ->
    Branch = fun(N) -> #{id => N, start => {?MODULE, start_branch, [Leaves]}, type => supervisor} end,
    {ok, {#{}, [Branch(N) || N <- lists:seq(1, Branches)]}};
init({branch, Leaves}) ->
    {ok, {#{}, [#{id => N, start => {?MODULE, start_idle, []}} || N <- lists:seq(1, Leaves)]}};
init(dynamic) ->
    Child = #{id => child, start => {?MODULE, start_idle, []}},
    {ok, {#{strategy => simple_one_for_one}, [Child]}}.

start_branch(Leaves) -> supervisor:start_link(?MODULE, {branch, Leaves}).

start_idle() -> {ok, spawn_link(fun idle/0)}.

start_named(Parent) ->
    Pid = spawn_link(fun() -> Parent ! {up, self()}, idle() end),
    register(child, Pid),
    {ok, Pid}.

up() -> receive {up, Pid} -> Pid end.

%% Ends a supervisor and waits until it is gone.
stop(Supervisor) ->
    Ref = monitor(process, Supervisor),
    unlink(Supervisor),
    exit(Supervisor, shutdown),
    receive {'DOWN', Ref, process, _, _} -> ok end.

restarts(Each, Times) ->
    logger:set_primary_config(level, none),
    Took = lists:sum([batch(Each) || _ <- lists:seq(1, Times)]),
    Each * Times * 1.0e9 / Took.

batch(Each) ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, {named, Each, self()}),
    First = up(),
    Start = erlang:monotonic_time(nanosecond),
    kill_on(First, Each),
    Took = erlang:monotonic_time(nanosecond) - Start,
    stop(Supervisor),
    Took.

kill_on(_, 0) -> ok;
kill_on(Pid, N) -> exit(Pid, kill), kill_on(up(), N - 1).

restart_times() ->
    logger:set_primary_config(level, none),
    {ok, _} = supervisor:start_link(?MODULE, {named, 10000, self()}),
    restart_times(up(), 2000).

restart_times(_, 0) -> [];
restart_times(Pid, N) ->
    timer:sleep(1),
    Start = erlang:monotonic_time(nanosecond),
    exit(Pid, kill),
    Next = up(),
    Took = erlang:monotonic_time(nanosecond) - Start,
    [Took | restart_times(Next, N - 1)].

tree(What) ->
    Start = erlang:monotonic_time(nanosecond),
    {ok, Root} = supervisor:start_link(?MODULE, What),
    stop(Root),
    (erlang:monotonic_time(nanosecond) - Start) / 1.0e6.

tree_dynamic(Count) ->
    Start = erlang:monotonic_time(nanosecond),
    {ok, Root} = supervisor:start_link(?MODULE, dynamic),
    [{ok, _} = supervisor:start_child(Root, []) || _ <- lists:seq(1, Count)],
    stop(Root),
    (erlang:monotonic_time(nanosecond) - Start) / 1.0e6.
