//! Windows: who may use a file, and how many names it has.
//!
//! Permissions pass through here as text (SDDL), so that pointers appear only around the system's own calls.

#![allow(unsafe_code, reason = "no maintained library wraps these calls")]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;
use std::ptr;

use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW, ConvertSidToStringSidW,
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GetFileSecurityW, GetTokenInformation, OBJECT_SECURITY_INFORMATION,
    OWNER_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR,
    SECURITY_ATTRIBUTES, SetFileSecurityW, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateDirectoryW, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, GetDiskFreeSpaceExW,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::sddl;

/// The largest permissions that are read, in bytes; the system allows 64 KiB.
const MAX_DESCRIPTOR_BYTES: u32 = 64 * 1024;

/// While the file is open, others may open it for anything, or for anything but to remove it.
pub(super) const SHARE_ALL: u32 = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
pub(super) const SHARE_READ_WRITE: u32 = FILE_SHARE_READ | FILE_SHARE_WRITE;

/// Opens a file. If these options create it, nobody but its owner can ever open it.
pub(super) fn open_private(path: &Path, options: &mut OpenOptions, share: u32) -> io::Result<File> {
    if path.exists() {
        return options.share_mode(share).open(path);
    }
    let alone = options.share_mode(0).open(path)?;
    make_private(path).inspect_err(|_| drop(fs::remove_file(path)))?;
    drop(alone);
    options.create_new(false).share_mode(share).open(path)
}

/// Makes a file usable by its owner, the system and administrators only.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    let descriptor = Descriptor::private(false)?;
    let what = DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
    // SAFETY: the path ends with a zero, and the descriptor lives until the call returns.
    succeeded(unsafe { SetFileSecurityW(wide(path).as_ptr(), what, descriptor.0) })
}

/// Creates a directory in which only its owner, the system and administrators can use anything.
pub(super) fn create_private_directory(path: &Path) -> io::Result<()> {
    let descriptor = Descriptor::private(true)?;
    let attributes = SECURITY_ATTRIBUTES {
        nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or(0),
        lpSecurityDescriptor: descriptor.0,
        bInheritHandle: 0,
    };
    // SAFETY: the path ends with a zero; attributes and descriptor live until the call returns.
    succeeded(unsafe { CreateDirectoryW(wide(path).as_ptr(), &raw const attributes) })
}

/// The bytes that this user may still write to the disk of a directory.
pub(super) fn free_space(directory: &Path) -> io::Result<u64> {
    let mut free = 0;
    let (total, all_free) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the path ends with a zero, the number lives until the call returns, and it may leave out the others.
    succeeded(unsafe { GetDiskFreeSpaceExW(wide(directory).as_ptr(), &raw mut free, total, all_free) })?;
    Ok(free)
}

/// Whether everyone, or a group that most users belong to, may read a file.
pub(super) fn is_shared(path: &Path) -> io::Result<bool> {
    Ok(sddl::is_shared(&permissions(path, DACL_SECURITY_INFORMATION)?))
}

/// Whether a file belongs to the system or to administrators.
pub(super) fn is_system_owned(path: &Path) -> io::Result<bool> {
    Ok(sddl::is_system_owned(&permissions(path, OWNER_SECURITY_INFORMATION)?))
}

/// The number of the file's names (hard links), and its identity: its volume and its index there.
pub(super) fn links_and_id(file: &File) -> io::Result<(u64, (u64, u64))> {
    let found = winapi_util::file::information(file)?;
    Ok((found.number_of_links(), (found.volume_serial_number(), found.file_index())))
}

/// A file's permissions, or its owner, as text.
fn permissions(path: &Path, what: OBJECT_SECURITY_INFORMATION) -> io::Result<String> {
    let path = wide(path);
    // The system wants it aligned like a pointer.
    let mut descriptor = vec![0_u64; MAX_DESCRIPTOR_BYTES as usize / size_of::<u64>()];
    let (buffer, mut needed) = (descriptor.as_mut_ptr().cast(), 0);
    // SAFETY: the path ends with a zero, and the buffer has that many bytes.
    succeeded(unsafe {
        GetFileSecurityW(path.as_ptr(), what, buffer, MAX_DESCRIPTOR_BYTES, &raw mut needed)
    })?;
    let mut text = ptr::null_mut();
    // SAFETY: the buffer holds a descriptor now; the result is this function's to free.
    succeeded(unsafe {
        ConvertSecurityDescriptorToStringSecurityDescriptorW(
            buffer,
            SDDL_REVISION_1,
            what,
            &raw mut text,
            ptr::null_mut(),
        )
    })?;
    Ok(taken(text))
}

/// Creates a file that everyone may read.
#[cfg(test)]
pub(super) fn make_shared(path: &Path) -> io::Result<()> {
    fs::write(path, "secret")?;
    let descriptor = Descriptor::of("D:P(A;;FA;;;WD)")?;
    // SAFETY: the path ends with a zero, and the descriptor lives until the call returns.
    succeeded(unsafe { SetFileSecurityW(wide(path).as_ptr(), DACL_SECURITY_INFORMATION, descriptor.0) })
}

/// Permissions in the system's form.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    /// Full access for this process's user, the system and administrators, and nothing inherited.
    fn private(is_directory: bool) -> io::Result<Self> {
        Self::of(&sddl::private(&user()?, is_directory))
    }

    fn of(permissions: &str) -> io::Result<Self> {
        let text: Vec<u16> = permissions.encode_utf16().chain([0]).collect();
        let mut descriptor = ptr::null_mut();
        // SAFETY: the text ends with a zero; the result is freed when dropped.
        succeeded(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                ptr::null_mut(),
            )
        })?;
        Ok(Self(descriptor))
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the system allocated it, and nothing else frees it.
        unsafe { LocalFree(self.0) };
    }
}

/// The identifier (SID) of this process's user.
fn user() -> io::Result<String> {
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: the handle of this process needs no closing; the token is closed below.
    succeeded(unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) })?;
    // A user and the longest identifier, 68 bytes; aligned like a pointer.
    let mut found = [0_u64; 32];
    let (bytes, mut needed) = (u32::try_from(size_of_val(&found)).unwrap_or(0), 0);
    // SAFETY: the buffer has that many bytes.
    let told = succeeded(unsafe {
        GetTokenInformation(token, TokenUser, found.as_mut_ptr().cast(), bytes, &raw mut needed)
    });
    // SAFETY: this function opened it, and nothing uses it any more.
    unsafe { CloseHandle(token) };
    told?;
    let mut text = ptr::null_mut();
    // SAFETY: the call succeeded, so the buffer starts with a TOKEN_USER, whose identifier is in the buffer.
    succeeded(unsafe {
        let user = found.as_ptr().cast::<TOKEN_USER>();
        ConvertSidToStringSidW((*user).User.Sid, &raw mut text)
    })?;
    Ok(taken(text))
}

/// Copies and frees a text that the system allocated.
fn taken(text: *mut u16) -> String {
    // SAFETY: the system ended the text with a zero.
    let length = (0..).take_while(|at| unsafe { *text.add(*at) } != 0).count();
    // SAFETY: that many characters come before the zero.
    let copy = String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) });
    // SAFETY: the system allocated it, and nothing else frees it.
    unsafe { LocalFree(text.cast()) };
    copy
}

fn wide(path: &Path) -> Vec<u16> {
    path.as_os_str().encode_wide().chain([0]).collect()
}

fn succeeded(result: i32) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
