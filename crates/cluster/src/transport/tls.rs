//! TCP with TLS 1.3.
//!
//! A node's key is made when it starts and is worth nothing by itself: whom one speaks to is proved by the cookie,
//! over a value that the two ends of the channel derive from its keys (RFC 9266). So there is no certificate, only
//! a raw public key (RFC 7250), which any client takes. What TLS gives is a channel that nobody can read, change or
//! go on with, whoever stands between. Sessions are not resumed, and nothing is said before the channel stands.
//!
//! The cryptography is `ring`'s: it needs a C compiler and nothing else to build, as linking Rust does anyway.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::AlwaysResolvesServerRawPublicKeys;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ConnectionCommon, DigitallySignedStruct, ServerConfig, SignatureScheme};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::arrivals::Socket;
use super::{Boxed, Channel, Incoming, Listener, Transport};
use crate::protocol::Binding;

/// The word by which both ends know that they mean this protocol.
const ALPN: &[u8] = b"greenroom/2";
/// How much the operating system may hold for a peer: what is in there, a short message has to wait for.
const SOCKET_BUFFER: u32 = 512 << 10;
/// How many callers may wait to be heard.
const BACKLOG: u32 = 1024;

/// Channels over TCP with TLS 1.3.
#[derive(Clone)]
pub(crate) struct Tls {
    client: TlsConnector,
    server: TlsAcceptor,
}

impl Tls {
    /// With a key of its own.
    pub(crate) fn new() -> io::Result<Self> {
        let other = |what: &str| io::Error::other(format!("no key for TLS could be made: {what}"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|error| other(&error.to_string()))?;
        let private = PrivatePkcs8KeyDer::from(pair.as_ref().to_vec());
        let signer = rustls::crypto::ring::sign::any_eddsa_type(&private).map_err(|error| other(&error.to_string()))?;
        let public = signer.public_key().ok_or_else(|| other("it has no public half"))?;
        let key = Arc::new(CertifiedKey::new(vec![CertificateDer::from(public.as_ref().to_vec())], signer));
        let tls13 = &[&rustls::version::TLS13];
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(tls13)
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(key)));
        server.alpn_protocols = vec![ALPN.to_vec()];
        server.send_tls13_tickets = 0;
        let verifier = Arc::new(AnyKey(provider.signature_verification_algorithms));
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(tls13)
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        client.alpn_protocols = vec![ALPN.to_vec()];
        client.resumption = Resumption::disabled();
        client.enable_sni = false;
        Ok(Tls { client: TlsConnector::from(Arc::new(client)), server: TlsAcceptor::from(Arc::new(server)) })
    }
}

impl Transport for Tls {
    fn call(&self, address: SocketAddr) -> Boxed<'static, io::Result<Channel>> {
        let client = self.client.clone();
        Box::pin(async move {
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            set_buffers(&socket)?;
            let tcp = socket.connect(address).await?;
            tcp.set_nodelay(true)?;
            let socket = Socket::new(tcp);
            let arrivals = socket.arrivals();
            let stream = client.connect(ServerName::IpAddress(address.ip().into()), socket).await.map_err(explain)?;
            let binding = binding(stream.get_ref().1)?;
            let (reader, writer) = tokio::io::split(stream);
            Ok(Channel { reader: Box::new(arrivals(reader)), writer: Box::new(writer), binding })
        })
    }

    fn listen(&self, address: SocketAddr) -> io::Result<(SocketAddr, Box<dyn Listener>)> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        set_buffers(&socket)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        Ok((listener.local_addr()?, Box::new(Calls { listener, server: self.server.clone() })))
    }
}

fn set_buffers(socket: &TcpSocket) -> io::Result<()> {
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    socket.set_recv_buffer_size(SOCKET_BUFFER)
}

struct Calls {
    listener: TcpListener,
    server: TlsAcceptor,
}

impl Listener for Calls {
    fn accept(&mut self) -> Boxed<'_, io::Result<Incoming>> {
        Box::pin(async {
            let (tcp, address) = self.listener.accept().await?;
            let server = self.server.clone();
            Ok(Incoming { address: address.ip(), opening: Box::pin(open(server, tcp)) })
        })
    }
}

async fn open(server: TlsAcceptor, tcp: TcpStream) -> io::Result<Channel> {
    tcp.set_nodelay(true)?;
    let socket = Socket::new(tcp);
    let arrivals = socket.arrivals();
    let stream = server.accept(socket).await.map_err(explain)?;
    let binding = binding(stream.get_ref().1)?;
    let (reader, writer) = tokio::io::split(stream);
    Ok(Channel { reader: Box::new(arrivals(reader)), writer: Box::new(writer), binding })
}

/// RFC 9266, `tls-exporter`.
fn binding<D>(connection: &ConnectionCommon<D>) -> io::Result<Binding> {
    connection
        .export_keying_material(Binding::default(), b"EXPORTER-Channel-Binding", Some(&[]))
        .map_err(io::Error::other)
}

/// Bytes that are no TLS mean that something else is there.
fn explain(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(why) => io::Error::new(error.kind(), format!("it does not speak TLS as a node does: {why}")),
        None => error,
    }
}

/// Takes any key, but insists that the other end has its private half.
#[derive(Debug)]
struct AnyKey(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyKey {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion()) // Who it is, the cookie proves.
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("only TLS 1.3 is spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        key: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature_with_raw_key(message, &SubjectPublicKeyInfoDer::from(key.as_ref()), signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}
