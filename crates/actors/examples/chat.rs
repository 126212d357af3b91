//! A chat: rooms are groups, everyone is a process.
//!
//! ```console
//! $ cargo run -p greenroom --example chat
//! ```

use greenroom::groups::{Scope, ScopeError};
use greenroom::supervisor::{Strategy, Supervisor};
use greenroom::{Pid, receive, self_pid, send, spawn_link};
use serde::{Deserialize, Serialize};

type Rooms = Scope<String>;

/// What is said in a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Said {
    by: String,
    room: String,
    text: String,
}

/// What people are asked to do.
#[derive(Debug, Serialize, Deserialize)]
enum Please {
    Enter(String),
    Say(String, String),
    Leave(String),
    /// And tell what you have heard.
    GoHome(Pid),
}

/// The life of somebody who chats.
async fn person(name: String, rooms: Rooms) -> Result<(), ScopeError> {
    let mut heard: Vec<String> = Vec::new();
    loop {
        greenroom::receive! {
            said: Said => heard.push(format!("[{}] {}: {}", said.room, said.by, said.text)),
            please: Please => match please {
                Please::Enter(room) => rooms.join(room, self_pid()).await?,
                Please::Say(room, text) => {
                    let said = Said { by: name.clone(), room: room.clone(), text };
                    let others = rooms.members(&room).into_iter().filter(|pid| *pid != self_pid());
                    others.for_each(|pid| send(pid, said.clone()));
                }
                Please::Leave(room) => rooms.leave(room, self_pid()).await?,
                Please::GoHome(asker) => {
                    send(asker, (name, heard));
                    return Ok(());
                }
            },
        }
    }
}

/// An evening in the chat, and what everyone has heard of it.
async fn evening() -> Result<Vec<(String, Vec<String>)>, Box<dyn std::error::Error + Send + Sync>> {
    let rooms = Rooms::new("rooms");
    let supervisor = Supervisor::new(Strategy::OneForOne).child(rooms.spec()).start_link().await?;
    let [ada, joe, mike] = ["Ada", "Joe", "Mike"].map(|name| spawn_link(person(name.to_owned(), rooms.clone())));
    let (watch, _) = rooms.monitor().await?;
    for (who, room) in [(ada, "lobby"), (joe, "lobby"), (joe, "green room"), (mike, "green room")] {
        send(who, Please::Enter(room.to_owned()));
        receive::<greenroom::groups::GroupEvent<String>>().await;
    }
    rooms.demonitor(watch).await?;
    send(ada, Please::Say("lobby".to_owned(), "hello".to_owned()));
    send(joe, Please::Say("green room".to_owned(), "hello, Mike".to_owned()));
    send(joe, Please::Leave("lobby".to_owned()));
    send(joe, Please::Say("lobby".to_owned(), "good bye".to_owned()));
    let mut evenings = Vec::new();
    for who in [joe, ada, mike] {
        send(who, Please::GoHome(self_pid()));
        evenings.push(receive::<(String, Vec<String>)>().await);
    }
    supervisor.stop().await;
    Ok(evenings)
}

fn main() {
    match greenroom::run(evening()) {
        Ok(evenings) => {
            for (name, heard) in evenings {
                println!("{name} has heard:\n  {}", heard.join("\n  "));
            }
        }
        Err(error) => eprintln!("{error}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn everyone_hears_what_is_said_in_the_rooms_they_are_in() {
        let evenings = greenroom::run(super::evening()).unwrap();
        // Whether Joe hears Ada depends on who of them is quicker.
        assert_eq!(evenings[1], ("Ada".to_owned(), vec!["[lobby] Joe: good bye".to_owned()]));
        assert_eq!(evenings[2], ("Mike".to_owned(), vec!["[green room] Joe: hello, Mike".to_owned()]));
    }
}
